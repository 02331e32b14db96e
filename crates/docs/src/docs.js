"use strict";
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#api",
  layout: "BaseLayout",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  // The token stays in this browser, so that a reload does not ask for it again; "Logout" forgets it.
  persistAuthorization: true,
  tryItOutEnabled: true,
  // Swagger's own validator is a service elsewhere.
  validatorUrl: null,
});
