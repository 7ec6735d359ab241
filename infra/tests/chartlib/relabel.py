"""Prometheus' relabelling, as far as the rules of collectors and ServiceMonitors use it."""

import re


def apply(rules, labels):
    """The labels after all rules, or None when a rule drops the target."""
    labels = dict(labels)
    for rule in rules:
        separator = rule.get("separator", ";")
        text = separator.join(labels.get(name, "") for name in rule.get("source_labels") or [])
        found = re.fullmatch(_python(rule.get("regex", "(.*)")), text, re.DOTALL)
        action = rule.get("action", "replace")
        if action == "keep":
            if not found:
                return None
        elif action == "drop":
            if found:
                return None
        elif action == "replace":
            if found:
                value = _expand(found, rule.get("replacement", "$1"))
                if value:
                    labels[rule["target_label"]] = value
                else:
                    labels.pop(rule["target_label"], None)
        elif action == "labelmap":
            for name, value in list(labels.items()):
                if match := re.fullmatch(_python(rule["regex"]), name):
                    labels[_expand(match, rule.get("replacement", "$1"))] = value
        elif action == "labeldrop":
            labels = {name: value for name, value in labels.items() if not re.fullmatch(_python(rule["regex"]), name)}
        elif action == "hashmod":
            labels[rule["target_label"]] = "0"  # One shard.
        else:
            raise ValueError(f"the tests do not know the action {action}")
    return labels


def visible(labels):
    """What is left of labels for series and streams."""
    return {name: value for name, value in labels.items() if not name.startswith("__")}


def _python(regex):
    # The two shards' variable of the operator, which runs as shard 0.
    return str(regex).replace("$(SHARD)", "0")


def _expand(found, replacement):
    def group(reference):
        name = reference[1] or reference[2]
        number = int(name) if name.isdigit() else name
        try:
            return found[number] or ""
        except IndexError:
            return ""

    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", group, replacement)
