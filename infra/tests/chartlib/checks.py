"""What must be true of every chart: one function each, from objects to what is wrong with them."""

from . import schemas
from .objects import containers, labels, namespace, of_kind, pods, selected, selects, title


def schema(objects):
    """Every object fits the schema of Kubernetes or of its CRD, without unknown fields."""
    return [problem for item in objects for problem in schemas.problems(item)]


def identity(objects):
    """No two objects of one name; each in a namespace, with the recommended labels."""
    found, seen = [], set()
    wanted = {"app.kubernetes.io/name", "app.kubernetes.io/instance"}
    for item in objects:
        key = (item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"])
        if key in seen:
            found.append(f"{title(item)} is there twice")
        seen.add(key)
        if not item["kind"].startswith("Cluster") and "namespace" not in item["metadata"]:
            found.append(f"{title(item)} names no namespace")
        if missing := wanted - set(labels(item)):
            found.append(f"{title(item)} lacks the labels {sorted(missing)}")
    return found


def limits(objects):
    """Every container says what it needs, and how much memory it may take."""
    found = []
    for workload, _, spec in pods(objects):
        for container in containers(spec):
            resources = container.get("resources") or {}
            for part, names in (("requests", ("cpu", "memory")), ("limits", ("memory",))):
                for name in names:
                    if not (resources.get(part) or {}).get(name):
                        found.append(f"{title(workload)}: {container['name']} has no {part}.{name}")
    return found


def hardening(objects, root=()):
    """Not root, read-only root, no capabilities, nothing of the node; `root` names the workloads
    that must be root and use the node's network and folders."""
    found = []
    for workload, _, spec in pods(objects):
        of_pod = spec.get("securityContext") or {}
        if (of_pod.get("seccompProfile") or {}).get("type") != "RuntimeDefault":
            found.append(f"{title(workload)} has no seccomp profile")
        may_be_root = title(workload) in root
        for key in ("hostNetwork", "hostIPC", "hostPID"):
            if spec.get(key) and not (may_be_root and key == "hostNetwork"):
                found.append(f"{title(workload)} has {key}")
        for volume in spec.get("volumes") or []:
            if "hostPath" in volume and not may_be_root:
                found.append(f"{title(workload)} mounts {volume['hostPath']['path']} of its node")
        for container in containers(spec):
            of_container = container.get("securityContext") or {}
            where = f"{title(workload)}: {container['name']}"
            if not may_be_root and not (of_container.get("runAsNonRoot") or of_pod.get("runAsNonRoot")):
                found.append(f"{where} may run as root")
            if of_container.get("readOnlyRootFilesystem") is not True:
                found.append(f"{where} can write to its root file system")
            if of_container.get("allowPrivilegeEscalation") is not False:
                found.append(f"{where} may gain privileges")
            if (of_container.get("capabilities") or {}).get("drop") != ["ALL"]:
                found.append(f"{where} keeps capabilities")
            if of_container.get("privileged"):
                found.append(f"{where} is privileged")
    return found


def selectors(objects):
    """Every selector finds what it is for, and every port that is named is there."""
    found = []
    running = list(pods(objects))

    def behind(selector, where):
        return [
            (labels_of_pod, spec)
            for workload, labels_of_pod, spec in running
            if namespace(workload) == where and selects(selector, labels_of_pod)
        ]

    for workload, labels_of_pod, _ in running:
        if workload["kind"] in ("Deployment", "StatefulSet", "DaemonSet"):
            if not selected(workload["spec"]["selector"], labels_of_pod):
                found.append(f"{title(workload)} does not select its own pods")
    for service in of_kind(objects, "Service"):
        matched = behind(service["spec"]["selector"], namespace(service))
        if not matched:
            found.append(f"{title(service)} selects no pod")
        for port in service["spec"]["ports"]:
            target = port.get("targetPort", port["port"])
            for _, spec in matched:
                declared = [p for c in spec["containers"] for p in c.get("ports") or []]
                if target not in {p.get("name") for p in declared} | {p["containerPort"] for p in declared}:
                    found.append(f"{title(service)}: no container has the port {target}")
    for kind, key in (("PodDisruptionBudget", "selector"), ("NetworkPolicy", "podSelector")):
        for item in of_kind(objects, kind):
            if not behind(item["spec"][key].get("matchLabels") or {}, namespace(item)):
                found.append(f"{title(item)} selects no pod")
            for rule in item["spec"].get("ingress") or []:
                names = {
                    p.get("name")
                    for _, spec in behind(item["spec"][key].get("matchLabels") or {}, namespace(item))
                    for c in spec["containers"]
                    for p in c.get("ports") or []
                }
                for port in rule.get("ports") or []:
                    if isinstance(port["port"], str) and port["port"] not in names:
                        found.append(f"{title(item)} allows the port {port['port']}, which no container has")
    for monitor in of_kind(objects, "ServiceMonitor"):
        found += _monitor(monitor, objects)
    return found


def _monitor(monitor, objects):
    spec = monitor["spec"]
    chosen = spec.get("namespaceSelector") or {}
    where = chosen.get("matchNames") or [namespace(monitor)]
    services = [
        service
        for service in of_kind(objects, "Service")
        if selected(spec["selector"], labels(service)) and (chosen.get("any") or namespace(service) in where)
    ]
    if not services:
        return [f"{title(monitor)} selects no Service"]
    found = []
    for endpoint in spec["endpoints"]:
        name = endpoint.get("port")
        having = [s for s in services if name in {p["name"] for p in s["spec"]["ports"]}]
        if len(having) != 1:
            found.append(f"{title(monitor)}: {len(having)} selected Services have a port {name}, not one")
    return found


def references(objects, outside=()):
    """What an object names is rendered too, or said to come from outside."""
    # Every namespace has a ServiceAccount of this name.
    there = {(item["kind"], item["metadata"]["name"]) for item in objects} | {("ServiceAccount", "default"), *outside}
    found = []

    def need(item, kind, name):
        if (kind, name) not in there:
            found.append(f"{title(item)} names {kind} {name}, which is not there")

    for workload, _, spec in pods(objects):
        need(workload, "ServiceAccount", spec.get("serviceAccountName", "default"))
        for volume in spec.get("volumes") or []:
            if "configMap" in volume:
                need(workload, "ConfigMap", volume["configMap"]["name"])
            if "secret" in volume and not volume["secret"].get("optional"):
                need(workload, "Secret", volume["secret"]["secretName"])
            if "persistentVolumeClaim" in volume:
                need(workload, "PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"])
        for container in containers(spec):
            for entry in container.get("env") or []:
                secret = (entry.get("valueFrom") or {}).get("secretKeyRef")
                if secret and not secret.get("optional"):
                    need(workload, "Secret", secret["name"])
            mounts = {mount["name"] for mount in container.get("volumeMounts") or []}
            volumes = {volume["name"] for volume in spec.get("volumes") or []}
            volumes |= {claim["metadata"]["name"] for claim in workload["spec"].get("volumeClaimTemplates") or []}
            for name in sorted(mounts - volumes):
                found.append(f"{title(workload)}: {container['name']} mounts {name}, which is no volume")
        if workload["kind"] == "StatefulSet":
            need(workload, "Service", workload["spec"]["serviceName"])
    for item in of_kind(objects, "Ingress"):
        for rule in item["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                service = path["backend"]["service"]
                need(item, "Service", service["name"])
                for target in of_kind(objects, "Service"):
                    names = {port["name"] for port in target["spec"]["ports"]}
                    if target["metadata"]["name"] == service["name"] and service["port"].get("name") not in names:
                        found.append(f"{title(item)} routes to a port that {title(target)} does not have")
    for item in of_kind(objects, "HorizontalPodAutoscaler"):
        target = item["spec"]["scaleTargetRef"]
        need(item, target["kind"], target["name"])
    for item in of_kind(objects, "ClusterRoleBinding", "RoleBinding"):
        need(item, item["roleRef"]["kind"], item["roleRef"]["name"])
        for subject in item["subjects"]:
            need(item, subject["kind"], subject["name"])
    return found


def hooks(objects):
    """The pod of a `helm test` is still there when `--logs` asks for its log, and makes room for the next."""
    found = []
    for pod in of_kind(objects, "Pod"):
        notes = pod["metadata"].get("annotations") or {}
        policy = notes.get("helm.sh/hook-delete-policy", "before-hook-creation").split(",")
        if "test" in notes.get("helm.sh/hook", "").split(",") and policy != ["before-hook-creation"]:
            found.append(f"{title(pod)} is deleted at {', '.join(policy)}")
    return found


EVERY = (schema, identity, limits, hardening, selectors, references, hooks)
