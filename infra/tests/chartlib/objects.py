"""Finding one's way through rendered Kubernetes objects."""

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "Pod")


def of_kind(objects, *kinds):
    return [item for item in objects if item["kind"] in kinds]


def one(objects, kind, name):
    found = [item for item in of_kind(objects, kind) if item["metadata"]["name"] == name]
    if len(found) != 1:
        raise LookupError(f"{len(found)} objects {kind} {name}; there are {sorted(map(title, objects))}")
    return found[0]


def title(item):
    return f"{item['kind']} {item['metadata']['name']}"


def namespace(item):
    return item["metadata"].get("namespace", "default")


def labels(item):
    return item["metadata"].get("labels") or {}


def pods(objects):
    """(workload, labels of its pods, their spec) of everything that runs."""
    for item in of_kind(objects, *WORKLOADS):
        if item["kind"] == "Pod":
            yield item, labels(item), item["spec"]
        else:
            template = item["spec"]["template"]
            yield item, template["metadata"].get("labels") or {}, template["spec"]


def containers(spec):
    return (spec.get("initContainers") or []) + spec["containers"]


def env(container):
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in container.get("env") or []}


def selects(match_labels, having):
    """Whether a selector of labels alone takes what has these; the empty one takes everything."""
    return all(having.get(key) == value for key, value in match_labels.items())


def selected(selector, having):
    """The same for a LabelSelector with expressions."""
    if not selects(selector.get("matchLabels") or {}, having):
        return False
    for rule in selector.get("matchExpressions") or []:
        value, values = having.get(rule["key"]), rule.get("values") or []
        holds = {
            "In": value in values,
            "NotIn": value not in values,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }[rule["operator"]]
        if not holds:
            return False
    return True
