"""What the files in deploy/spinkube must say together, and what spin-p2.toml and openapi.json say of them."""

import tomllib
from urllib.parse import urlsplit

APP_LABEL = {"core.spinkube.dev/app-name": "errand"}
JOB_LABEL = {"app.kubernetes.io/name": "errand-db"}
# Fetching keys 3 s, the deadline 5 s, connecting 3 s and a statement 4 s: errand's own answer comes before the gateway's.
SLOWEST_ANSWER = 15
# What Spin 4.0 knows of runtime-config.toml and errand has a use for. Spin refuses to start with keys that it does not know.
RUNTIME_KEYS = {"key_value_store"}


def of_kind(files, kind):
    return [document for documents in files.values() for document in documents if document["kind"] == kind]


def the(files, kind):
    (document,) = of_kind(files, kind)
    return document


def containers(files):
    """The pods that run errand-db, each with its file's name, its specification and its container."""
    for name, documents in files.items():
        for document in documents:
            if document["kind"] == "CronJob":
                template = document["spec"]["jobTemplate"]["spec"]["template"]
            elif document["kind"] == "Job":
                template = document["spec"]["template"]
            else:
                continue
            for container in template["spec"]["containers"]:
                yield name, template, container


def variables(files, manifest, _paths):
    declared = manifest["variables"]
    given = [variable["name"] for variable in the(files, "SpinApp")["spec"]["variables"]]
    for name in declared.keys() - set(given):
        yield f"spin-p2.toml has the variable {name}, which app.yaml lacks"
    for name in set(given) - declared.keys():
        yield f"app.yaml has the variable {name}, which spin-p2.toml does not declare"
    if len(given) != len(set(given)):
        yield "app.yaml has a variable twice"


def secrecy(files, manifest, _paths):
    for variable in the(files, "SpinApp")["spec"]["variables"]:
        secret = manifest["variables"].get(variable["name"], {}).get("secret", False)
        if secret and "secretKeyRef" not in variable.get("valueFrom", {}):
            yield f"the variable {variable['name']} is a secret and does not come from one"


def probes(files, _manifest, paths):
    checks = the(files, "SpinApp")["spec"].get("checks", {})
    for name, path in ("liveness", "/health/live"), ("readiness", "/health/ready"):
        asked = checks.get(name, {}).get("httpGet", {}).get("path")
        if asked not in paths:
            yield f"the {name} check asks for {asked}, which openapi.json does not have"
        elif asked != path:
            yield f"the {name} check asks for {asked} in the place of {path}"
    if checks.get("readiness", {}).get("timeoutSeconds", 1) < 5:
        yield "the readiness check gives a waking database less than 5 s"


def secrets(files, _manifest, _paths):
    kept = {(secret["metadata"]["name"], key) for secret in of_kind(files, "Secret") for key in secret["stringData"]}
    app = the(files, "SpinApp")["spec"]
    used = {(app["runtimeConfig"]["loadFromSecret"], "runtime-config.toml")}
    sources = list(app["variables"])
    for _, _, container in containers(files):
        sources += container["env"]
    for source in sources:
        if reference := source.get("valueFrom", {}).get("secretKeyRef"):
            used.add((reference["name"], reference["key"]))
    for name, key in sorted(used - kept):
        yield f"secrets.example.yaml lacks the key {key} of the secret {name}"
    for name, key in sorted(kept - used):
        yield f"nothing uses the key {key} of the secret {name}"
    ingress = the(files, "Ingress")
    if "cert-manager.io/cluster-issuer" not in ingress["metadata"]["annotations"]:
        for entry in ingress["spec"]["tls"]:
            yield f"nothing makes the secret {entry['secretName']} of the Ingress"


def runtime_config(files, _manifest, _paths):
    for secret in of_kind(files, "Secret"):
        for name, text in secret["stringData"].items():
            if name == "runtime-config.toml":
                for key in tomllib.loads(text).keys() - RUNTIME_KEYS:
                    yield f"runtime-config.toml has [{key}], and the shim's Spin does not start with it"


def addresses(files, _manifest, _paths):
    kept = {(secret["metadata"]["name"], key): value for secret in of_kind(files, "Secret")
            for key, value in secret["stringData"].items()}
    string = urlsplit(kept["errand", "database-url"])
    if kept["errand", "database-host"] != f"{string.hostname}:{string.port}":
        yield "database-host is not host and port of database-url"
    for limit in "connect_timeout", "tcp_user_timeout":
        if limit not in string.query:
            yield f"database-url has no {limit}"
    values = {variable["name"]: variable.get("value") for variable in the(files, "SpinApp")["spec"]["variables"]}
    keys = urlsplit(values["jwt_jwks_url"])
    if values["jwks_origin"] != f"{keys.scheme}://{keys.netloc}":
        yield "jwks_origin is not scheme and host of jwt_jwks_url"


def names(files, manifest, _paths):
    app, executor = the(files, "SpinApp"), the(files, "SpinAppExecutor")
    if app["spec"]["executor"] != executor["metadata"]["name"]:
        yield f"app.yaml names the executor {app['spec']['executor']}, which executor.yaml does not make"
    if not executor["spec"].get("deploymentConfig", {}).get("installDefaultCACerts"):
        yield "executor.yaml gives the pods no CA certificates"
    if app["spec"].get("serviceAccountName") != the(files, "ServiceAccount")["metadata"]["name"]:
        yield "app.yaml does not use its ServiceAccount"
    version = manifest["application"]["version"]
    for image in [app["spec"]["image"]] + [container["image"] for _, _, container in containers(files)]:
        if not image.endswith(f":{version}"):
            yield f"the image {image} is not of version {version}"


def jobs(files, _manifest, _paths):
    commands = {"migrate-job.yaml": ["migrate"], "tidy-cronjob.yaml": ["tidy"]}
    for name, template, container in containers(files):
        pod, inside = template["spec"]["securityContext"], container["securityContext"]
        if container["args"] != commands.pop(name, None):
            yield f"{name} runs errand-db with {container['args']}"
        if not pod.get("runAsNonRoot") or pod.get("seccompProfile") != {"type": "RuntimeDefault"}:
            yield f"{name} may run as root, or without the runtime's seccomp profile"
        if not inside.get("readOnlyRootFilesystem") or inside.get("allowPrivilegeEscalation") is not False:
            yield f"{name} has a root filesystem that can be written, or may gain privileges"
        if inside.get("capabilities") != {"drop": ["ALL"]}:
            yield f"{name} keeps capabilities"
        if template["metadata"]["labels"] != JOB_LABEL:
            yield f"{name} is not what the NetworkPolicy errand-db selects"
    for name in commands:
        yield f"{name} has no pod"


def network(files, _manifest, _paths):
    expected = {"errand": (APP_LABEL, {80}, {53, 5432, 443}), "errand-db": (JOB_LABEL, set(), {53, 5432})}
    policies = {policy["metadata"]["name"]: policy["spec"] for policy in of_kind(files, "NetworkPolicy")}
    if policies.keys() != expected.keys():
        yield f"network-policy.yaml has the policies {sorted(policies)}"
        return
    for name, (label, inwards, outwards) in expected.items():
        policy = policies[name]
        if policy["podSelector"] != {"matchLabels": label}:
            yield f"the NetworkPolicy {name} selects other pods"
        if set(policy["policyTypes"]) != {"Ingress", "Egress"}:
            yield f"the NetworkPolicy {name} leaves one direction open"
        for direction, ends, ports in ("ingress", "from", inwards), ("egress", "to", outwards):
            if {port["port"] for rule in policy[direction] for port in rule.get("ports", [{"port": "any"}])} != ports:
                yield f"the NetworkPolicy {name} has other ports than {sorted(ports)} for {direction}"
            if not all(rule.get(ends) for rule in policy[direction]):
                yield f"the NetworkPolicy {name} has a rule for {direction} without {ends}"
    if the(files, "PodDisruptionBudget")["spec"]["selector"] != {"matchLabels": APP_LABEL}:
        yield "the PodDisruptionBudget selects other pods"


def gateway(files, _manifest, paths):
    ingress, app = the(files, "Ingress"), the(files, "SpinApp")
    annotations = ingress["metadata"]["annotations"]
    timeout = annotations.get("nginx.ingress.kubernetes.io/proxy-read-timeout", "")
    if not timeout.isdecimal() or int(timeout) <= SLOWEST_ANSWER:
        yield f"the Ingress has no timeout for requests above {SLOWEST_ANSWER} s"
    if annotations.get("nginx.ingress.kubernetes.io/proxy-next-upstream") != "off":
        yield "the Ingress may send a write twice"
    routes = [route for rule in ingress["spec"]["rules"] for route in rule["http"]["paths"]]
    for route in routes:
        if route["backend"] != {"service": {"name": app["metadata"]["name"], "port": {"number": 80}}}:
            yield f"the Ingress sends {route['path']} elsewhere than to port 80 of the app"
        if "." in route["path"] and route["pathType"] != "ImplementationSpecific":
            yield f"ingress-nginx refuses the dot of {route['path']} with pathType {route['pathType']}"
    for path in paths:
        routed = any(path == route["path"] or path.startswith(f"{route['path']}/") for route in routes)
        if routed == path.startswith("/health/"):
            yield f"the Ingress {'has' if routed else 'lacks'} {path}"


RULES = {
    "the variables are those of spin-p2.toml": variables,
    "secret variables come from secrets": secrecy,
    "the checks ask for paths that exist": probes,
    "secrets.example.yaml has what is referred to, and no more": secrets,
    "Spin 4.0 starts with runtime-config.toml": runtime_config,
    "hosts fit their addresses": addresses,
    "executor, ServiceAccount and images fit": names,
    "errand-db runs without rights": jobs,
    "the policies let through what is needed": network,
    "the Ingress has every public path, and a timeout": gateway,
}
