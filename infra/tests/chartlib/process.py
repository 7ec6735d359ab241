"""Runs the container of a rendered pod on this machine: its arguments, its variables, its ConfigMaps and
Secrets as files, in a folder in place of the root file system. Listeners go to free ports of loopback.
"""

import base64
import json
import os
import re
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import yaml

from .objects import one

# Folders of the container that the configuration names and that exist here below the folder.
FOLDERS = ("/etc/masthead", "/var/lib/masthead-collector", "/var/lib/masthead", "/var/log/pods")


def binary(name=None):
    """The masthead to run, or another program beside it; None where it was not built."""
    path = os.environ.get("MASTHEAD", "")
    if path and name:
        path = str(Path(path).with_name(name))
    return path if path and os.access(path, os.X_OK) else None


class Container:
    """The one container of a workload; `change` gets its configuration before it is written."""

    def __init__(self, objects, workload, folder, change=lambda config: None, variables=None):
        self.objects, self.folder = objects, Path(folder)
        spec = workload["spec"]["template"]["spec"]
        (self.container,) = spec["containers"]
        volumes = {volume["name"]: volume for volume in spec["volumes"]}
        for mount in self.container["volumeMounts"]:
            self._mount(mount, volumes.get(mount["name"], {}), change)
        self.args = [self._here(argument) for argument in self.container["args"]]
        self.env = {entry["name"]: self._variable(entry) for entry in self.container["env"]} | (variables or {})
        self.process, self.log = None, []

    def _mount(self, mount, volume, change):
        path = self.folder / mount["mountPath"].lstrip("/")
        if "configMap" in volume:
            data = one(self.objects, "ConfigMap", volume["configMap"]["name"])["data"]
            config = yaml.safe_load(data[mount["subPath"]])
            config["listen"] = {key: "off" for key in ("prometheus", "loki")} | {"address": "127.0.0.1:0"}
            change(config)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self._here(yaml.safe_dump(config)))
        elif "secret" in volume:
            path.mkdir(parents=True, exist_ok=True)
            for entry in volume["secret"]["items"]:
                text = secret(self.objects, volume["secret"]["secretName"], entry["key"])
                (path / entry["path"]).write_text(text)
        else:
            path.mkdir(parents=True, exist_ok=True)

    def _here(self, text):
        return re.sub("|".join(FOLDERS), lambda found: str(self.folder) + found[0], text)

    def _variable(self, entry):
        if "value" in entry:
            return self._here(entry["value"])
        source = entry["valueFrom"]
        if "secretKeyRef" in source:
            return secret(self.objects, source["secretKeyRef"]["name"], source["secretKeyRef"]["key"])
        return {"spec.nodeName": "node-1"}[source["fieldRef"]["fieldPath"]]

    def check(self):
        """What `masthead check config` says: exit code and text."""
        (config,) = (argument.split("=")[1] for argument in self.args if argument.startswith("--config="))
        done = subprocess.run([binary(), "check", "config", config], capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout + done.stderr

    def run(self, *command):
        """Another command of the same program, as `kubectl exec` would: with the container's variables and files."""
        command = [binary(), *map(self._here, command)]
        env = {"PATH": os.environ["PATH"], **self.env}
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)

    def help(self):
        done = subprocess.run([binary(), self.args[0], "--help"], capture_output=True, text=True, timeout=120)
        return done.stdout if done.returncode == 0 else ""

    def __enter__(self):
        self.process = subprocess.Popen(
            [binary(), *self.args],
            env={"PATH": os.environ["PATH"], **self.env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        until(lambda: self.url() is not None and self._is_healthy(), self.tell)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=60)
        self.reader.join(timeout=60)
        self.process.stdout.close()

    def _read(self):
        self.log.extend(iter(self.process.stdout.readline, ""))

    def tell(self):
        return "".join(self.log[-40:])

    def url(self):
        for line in list(self.log):
            if found := re.search(r'"(?:address|listen)":"(127\.0\.0\.1:\d+)"', line):
                return f"http://{found[1]}"
        if self.process.poll() is not None:
            raise AssertionError(f"it ended with {self.process.returncode}:\n{self.tell()}")
        return None

    def _is_healthy(self):
        return self.ask("/-/ready")[0] == 200

    def ask(self, path, body=None, **headers):
        """Status and body."""
        headers = {name.replace("_", "-"): text for name, text in headers.items()}
        request = urllib.request.Request(self.url() + path, data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)


def until(holds, tell):
    """Waits until it holds; only a machine that stands still lets it fail."""
    deadline = time.monotonic() + 90
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within 90 s:\n{tell()}")
        time.sleep(0.05)


def secret(objects, name, key):
    found = one(objects, "Secret", name)
    if key in found.get("stringData", {}):
        return found["stringData"][key]
    return base64.b64decode(found["data"][key]).decode()


def result(text):
    return json.loads(text)["data"]["result"]
