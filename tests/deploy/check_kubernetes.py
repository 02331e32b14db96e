"""Checks deploy/spinkube: each object against a schema, and all of them against one another.

Kubernetes' own kinds are checked by kubernetes-validate, strictly. The operator's two kinds have schemas beside this file. Faults
are put into copies of the files afterwards, and each has to be refused: a check that refuses nothing fails.
"""

import copy
import functools
import json
import sys
import tomllib
from pathlib import Path

import kubernetes_validate
import yaml
from jsonschema import Draft202012Validator

from kubernetes_rules import RULES

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
FOLDER = ROOT / "deploy/spinkube"
# The oldest Kubernetes whose `sleep` before the end of a pod is stable, and the newest that kubernetes-validate knows.
VERSIONS = ("1.34", "1.37")
SCHEMAS = {
    kind: Draft202012Validator(json.loads((HERE / f"{kind.lower()}.schema.json").read_text()))
    for kind in ("SpinApp", "SpinAppExecutor")
}
MANIFEST = tomllib.loads((ROOT / "spin-p2.toml").read_text())
PATHS = json.loads((ROOT / "openapi.json").read_text())["paths"].keys()


class Strict(yaml.SafeLoader):
    """YAML as Kubernetes reads it: a key that stands twice is an error."""

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


def read(text):
    # Aliases become copies, so that a fault that is put into one object is in no other.
    return [json.loads(json.dumps(document)) for document in yaml.load_all(text, Strict)]


def misfits(document):
    """What a schema has against an object."""
    return misfits_of(json.dumps(document))


@functools.cache
def misfits_of(text):
    # A fault changes one object. kubernetes-validate reads all definitions anew for each.
    document = json.loads(text)
    if schema := SCHEMAS.get(document.get("kind")):
        return [f"{error.json_path}: {error.message}" for error in schema.iter_errors(document)]
    found = []
    for version in VERSIONS:
        try:
            kubernetes_validate.validate(document, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            found.append(f"{error.json_path}: {error.message} (Kubernetes {version})")
        except kubernetes_validate.SchemaNotFoundError as error:
            found.append(error.message)
    return found


def title(document):
    metadata = document["metadata"]
    return f"{document['kind']} {metadata.get('name') or metadata['generateName']}"


def checks(files):
    """Each check with what it found; a rule can only be asked of objects that fit."""
    fit = True
    for name, documents in files.items():
        for document in documents:
            found = misfits(document)
            fit = fit and not found
            yield f"{name}: {title(document)} fits its schema", found
    if fit:
        for what, rule in RULES.items():
            try:
                yield what, list(rule(files, MANIFEST, PATHS))
            except (KeyError, IndexError, TypeError, ValueError) as error:
                yield what, [f"something that it needs is missing or malformed: {error!r}"]


def rename(old, new):
    return lambda place: place.update({new: place.pop(old)})


def put(**members):
    return lambda place: place.update(members)


def drop(member):
    return lambda place: place.pop(member)


def swap(member, **members):
    return lambda place: (place.pop(member), place.update(members))


def named(name):
    return lambda items: next(item for item in items if item["name"] == name)


POD = ("spec", "template", "spec")
CRON_POD = ("spec", "jobTemplate", *POD)
ROUTES = ("spec", "rules", 0, "http", "paths")
# What is done to which place of which object, and a part of what has to be said of it.
FAULTS = [
    # The operator's kinds: misspelt, of a wrong type, missing, against the webhook's rules.
    ("SpinApp", ("spec",), rename("replicas", "replica"), "'replica' was unexpected"),
    ("SpinApp", ("spec", "checks", "readiness"), rename("timeoutSeconds", "timeoutSecond"), "'timeoutSecond' was unexpected"),
    ("SpinApp", ("spec", "variables", named("database_url"), "valueFrom"), rename("secretKeyRef", "secretRef"), "'secretRef'"),
    ("SpinApp", ("spec",), put(enableAutoscaling=True), "'replicas' should not be valid"),
    ("SpinApp", ("spec",), put(replicas="3"), "'3' is not of type 'integer'"),
    ("SpinApp", ("spec",), put(replicas=0), "less than the minimum"),
    ("SpinApp", ("spec", "variables", named("database_deadline_ms")), put(value=5000), "5000 is not of type 'string'"),
    ("SpinApp", ("spec", "variables", named("jwt_scopes")), put(value=False), "False is not of type 'string'"),
    ("SpinApp", ("spec",), drop("image"), "'image' is a required property"),
    ("SpinApp", ("spec",), drop("replicas"), "'replicas' is a required property"),
    ("SpinApp", ("spec", "runtimeConfig"), rename("loadFromSecret", "loadFromSecrets"), "'loadFromSecrets' was unexpected"),
    ("SpinAppExecutor", ("spec", "deploymentConfig"), rename("installDefaultCACerts", "installDefaultCaCerts"), "CaCerts'"),
    ("SpinAppExecutor", ("spec", "deploymentConfig"), put(installDefaultCACerts="yes"), "'yes' is not of type 'boolean'"),
    ("SpinAppExecutor", ("spec",), drop("createDeployment"), "'createDeployment' is a required property"),
    ("SpinAppExecutor", ("spec", "deploymentConfig"), put(spinImage="spin"), "is valid under each of"),
    # Kubernetes' own.
    ("Job", ("spec",), rename("backoffLimit", "backOffLimit"), "'backOffLimit' was unexpected"),
    ("Job", ("spec",), put(activeDeadlineSeconds="1h"), "'1h' is not of type"),
    ("Job", ("spec",), drop("template"), "'template' is a required property"),
    ("CronJob", ("spec",), drop("schedule"), "'schedule' is a required property"),
    ("CronJob", (*CRON_POD, "containers", 0, "securityContext"), rename("capabilities", "capability"), "'capability'"),
    ("Secret", (), put(stringData={"database-url": 1}), "1 is not of type"),
    ("NetworkPolicy", ("spec", "egress", 0), rename("ports", "port"), "'port' was unexpected"),
    ("Ingress", (*ROUTES, 0), drop("pathType"), "'pathType' is a required property"),
    ("Ingress", ("metadata", "annotations"), put(**{"nginx.ingress.kubernetes.io/limit-rps": 50}), "50 is not of type"),
    ("PodDisruptionBudget", ("spec",), rename("maxUnavailable", "maxUnavailible"), "'maxUnavailible' was unexpected"),
    # What fits a schema, and not its surroundings.
    ("SpinApp", ("spec", "variables", named("log_key")), put(name="log_keys"), "the variable log_key, which app.yaml lacks"),
    ("SpinApp", ("spec", "variables", named("log_key")), put(name="log_keys"), "log_keys, which spin-p2.toml does not declare"),
    ("SpinApp", ("spec", "variables"), lambda variables: variables.append(variables[0]), "a variable twice"),
    ("SpinApp", ("spec",), lambda spec: spec["variables"].pop(0), "the variable database_url, which app.yaml lacks"),
    ("SpinApp", ("spec", "variables", named("jwt_secret")), swap("valueFrom", value="x"), "jwt_secret is a secret"),
    ("SpinApp", ("spec", "checks", "liveness", "httpGet"), put(path="/healthz"), "/healthz, which openapi.json does not have"),
    ("SpinApp", ("spec", "checks", "liveness", "httpGet"), put(path="/health/ready"), "in the place of /health/live"),
    ("SpinApp", ("spec", "checks", "readiness"), drop("timeoutSeconds"), "less than 5 s"),
    ("SpinApp", ("spec", "runtimeConfig"), put(loadFromSecret="errand-runtime"), "lacks the key runtime-config.toml"),
    ("SpinApp", ("spec", "variables", named("log_key"), "valueFrom", "secretKeyRef"), put(key="logkey"), "lacks the key logkey"),
    ("SpinApp", ("spec",), put(executor="spin"), "names the executor spin"),
    ("SpinApp", ("spec",), put(image="registry.example/errand:0.0.1"), "is not of version"),
    ("SpinApp", ("spec", "variables", named("jwks_origin")), put(value="https://jwks.invalid"), "jwks_origin is not"),
    ("SpinApp", ("spec",), put(serviceAccountName="default"), "does not use its ServiceAccount"),
    ("SpinAppExecutor", ("spec", "deploymentConfig"), put(installDefaultCACerts=False), "no CA certificates"),
    ("Secret", ("stringData",), drop("database-url"), "lacks the key database-url of the secret errand"),
    ("Secret", ("stringData",), put(password="x"), "nothing uses the key password"),
    ("Secret", ("stringData",), put(**{"database-host": "db.example"}), "database-host is not"),
    ("Secret", ("stringData",), put(**{"database-url": "postgres://a@db.example:5432/b"}), "has no connect_timeout"),
    ("Job", (*POD, "containers", 0), put(args=["migrat"]), "runs errand-db with ['migrat']"),
    ("Job", (*POD, "containers", 0, "env", 0, "valueFrom", "secretKeyRef"), put(name="owner"), "of the secret owner"),
    ("Job", (*POD, "securityContext"), put(runAsNonRoot=False), "may run as root"),
    ("CronJob", (*CRON_POD, "containers", 0, "securityContext"), drop("readOnlyRootFilesystem"), "can be written"),
    ("CronJob", (*CRON_POD, "containers", 0, "securityContext", "capabilities"), put(drop=[]), "keeps capabilities"),
    ("CronJob", ("spec", "jobTemplate", "spec", "template", "metadata"), put(labels={}), "is not what the NetworkPolicy"),
    ("NetworkPolicy", ("spec", "egress", 1), drop("to"), "a rule for egress without to"),
    ("NetworkPolicy", ("spec", "egress", 1), drop("ports"), "other ports than"),
    ("NetworkPolicy", ("spec",), put(policyTypes=["Ingress"]), "leaves one direction open"),
    ("NetworkPolicy", ("spec",), put(podSelector={}), "selects other pods"),
    ("PodDisruptionBudget", ("spec", "selector"), put(matchLabels={"app": "errand"}), "PodDisruptionBudget selects other"),
    ("Ingress", ("metadata", "annotations"), rename("nginx.ingress.kubernetes.io/proxy-read-timeout", "timeout"), "no timeout"),
    ("Ingress", ("metadata", "annotations"), put(**{"nginx.ingress.kubernetes.io/proxy-read-timeout": "10"}), "no timeout"),
    ("Ingress", ("metadata", "annotations"), drop("nginx.ingress.kubernetes.io/proxy-next-upstream"), "send a write twice"),
    ("Ingress", ("metadata", "annotations"), drop("cert-manager.io/cluster-issuer"), "nothing makes the secret errand-tls"),
    ("Ingress", (*ROUTES, 2), put(pathType="Exact"), "refuses the dot of /openapi.json"),
    ("Ingress", (*ROUTES, 0), put(path="/health"), "has /health/ready"),
    ("Ingress", ROUTES, lambda routes: routes.pop(), "lacks /.well-known/oauth-protected-resource"),
    ("Ingress", (*ROUTES, 0, "backend", "service", "port"), put(number=8080), "elsewhere than to port 80"),
]
# Texts in which the fault is not a member.
RUNTIME_FAULTS = {"[outbound_pg]\nmax_connections = 40\n": "has [outbound_pg]", "[key_value_stores.default]\n": "key_value_stores"}


def with_fault(files, kind, place, change):
    files = copy.deepcopy(files)
    target = next(document for documents in files.values() for document in documents if document["kind"] == kind)
    for step in place:
        target = step(target) if callable(step) else target[step]
    change(target)
    return files


def with_runtime_config(files, text):
    files = copy.deepcopy(files)
    for secret in files["secrets.example.yaml"]:
        if "runtime-config.toml" in secret["stringData"]:
            secret["stringData"]["runtime-config.toml"] = text
    return files


def refusals(files):
    """Each fault with what is wrong with how it was met: nothing, where it was refused for what it is."""
    faults = [(kind, expected, with_fault(files, kind, place, change)) for kind, place, change, expected in FAULTS]
    faults += [("runtime-config.toml", said, with_runtime_config(files, text)) for text, said in RUNTIME_FAULTS.items()]
    for where, expected, faulty in faults:
        what = f"{where}: {expected}"
        found = [problem for _, problems in checks(faulty) for problem in problems]
        if not found:
            yield what, ["the fault was accepted"]
        else:
            told = any(expected in problem for problem in found)
            yield what, [] if told else [f"refused for something else: {found}"]
    try:
        read("kind: Job\nkind: CronJob\n")
        yield "a key that stands twice", ["the fault was accepted"]
    except yaml.YAMLError:
        yield "a key that stands twice", []


def report(results, verb):
    failed = 0
    for what, problems in results:
        print(f"  {'FAILED' if problems else verb}  {what}")
        for problem in problems:
            print(f"          {problem}")
        failed += bool(problems)
    return failed


def main():
    paths = sorted(FOLDER.glob("*.yaml"))
    if not paths:
        return f"there is nothing in {FOLDER}"
    files = {}
    for path in paths:
        try:
            files[path.name] = read(path.read_text())
        except yaml.YAMLError as error:
            return f"{path.name} is not YAML: {error}"
    if failed := report(checks(files), "ok    "):
        return f"{failed} checks of deploy/spinkube failed"
    scaled = with_fault(files, "SpinApp", ("spec",), swap("replicas", enableAutoscaling=True))
    found = [problem for _, problems in checks(scaled) for problem in problems]
    if failed := report([("an app that is scaled automatically fits", found)], "ok    "):
        return "the page's way to scale automatically is refused"
    if failed := report(refusals(files), "refused"):
        return f"{failed} faults were not refused as they should be"
    return None


if __name__ == "__main__":
    sys.exit(main())
