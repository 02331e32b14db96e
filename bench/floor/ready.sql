select api.ready();
