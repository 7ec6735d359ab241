"""scripts/test-cluster against a cluster that is made up: programs that answer from a file, and a
server that answers as Prometheus, Loki and the API."""

import base64
import http.server
import json
import os
import re
import stat
import subprocess
import tempfile
import threading
import unittest
import urllib.parse
from pathlib import Path

from chartlib import ROOT, helmfile
from chartlib.objects import env, one

SCRIPT = ROOT / "scripts" / "test-cluster"
PASSWORD = "harbour-lights"
POD = {"metadata": {"name": "api-7d9c5b7f6d-x2v4k"}, "spec": {"nodeName": "node-1"}, "status": {"phase": "Running"}}
# Of an older rollout; nobody scrapes it any more.
ENDING = {"metadata": {"name": "api-old", "deletionTimestamp": "now"}, "spec": POD["spec"], "status": POD["status"]}
LABELS = {
    "app": "api",
    "namespace": "devops-demo",
    "container": "api",
    "job": "devops-demo/api",
    "pod": POD["metadata"]["name"],
    "node_name": "node-1",
    "stream": "stdout",
}
KUBECTL = """#!/bin/sh
echo "$*" >> "$CALLS"
case "$*" in
*port-forward*) echo "Forwarding from 127.0.0.1:$(cat "$CLUSTER/port") -> 0"; exec sleep 300 ;;
*'get nodes'* | *'get pods'* | *'get secret'*) cat "$CLUSTER/$4" ;;
*'masthead help') [ -e "$CLUSTER/old" ] || echo doctor ;;
*doctor*) if [ -e "$CLUSTER/sick" ]; then cat "$CLUSTER/sick" >&2; exit 1; fi ;;
esac
"""
OTHER = """#!/bin/sh
echo "${0##*/} $*" >> "$CALLS"
"""


class Cluster(http.server.BaseHTTPRequestHandler):
    """`server.faults` says what it does wrong."""

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        asked = urllib.parse.parse_qs(url.query).get("query", [""])[0]
        if url.path == "/items":
            if "broken" in self.server.faults:
                return self.answer(503, {})
            self.server.requests.append(self.headers["X-Request-Id"])
            return self.answer(200, {})
        wanted = "Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") != wanted and "open" not in self.server.faults:
            return self.answer(401, {})
        if url.path == "/loki/api/v1/query_range":
            found = [r for r in self.server.requests if r in asked]
            found += found if "doubled" in self.server.faults else []
            stream = LABELS | self.server.faults.get("labels", {})
            return self.answer(200, [{"stream": stream, "values": [["1", r] for r in found]}] if found else [])
        count = len(self.server.requests) if "http_requests_total" in asked else 1
        metric = {"pod": self.server.faults.get("pod", POD["metadata"]["name"])}
        return self.answer(200, [{"metric": metric, "value": [0, str(count)]}])

    def answer(self, status, result):
        body = json.dumps({"status": "success", "data": {"result": result}}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Script(unittest.TestCase):
    def run_with(self, **faults):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Cluster)
        server.requests, server.faults = [], faults
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        for name, text in (("kubectl", KUBECTL), ("helm", OTHER), ("helmfile", OTHER)):
            (folder / name).write_text(text)
            (folder / name).chmod(stat.S_IRWXU)
        secret = {"admin-user": "admin", "admin-password": PASSWORD}
        encoded = {key: base64.b64encode(text.encode()).decode() for key, text in secret.items()}
        (folder / "port").write_text(str(server.server_port))
        (folder / "nodes").write_text(json.dumps({"items": [{"metadata": {"name": "node-1"}}]}))
        (folder / "pods").write_text(json.dumps({"items": [POD, ENDING]}))
        (folder / "secret").write_text(json.dumps({"data": encoded}))
        if "old" in faults:
            (folder / "old").touch()
        if "sick" in faults:
            (folder / "sick").write_text("the ServiceMonitor api selects no Service")
        environment = os.environ | {
            "PATH": f"{folder}:{os.environ['PATH']}",
            "KUBECONFIG": "made-up",
            "CLUSTER": str(folder),
            "CALLS": str(folder / "calls"),
            "DESTROY": "yes" if "destroy" in faults else "no",
            # What is wrong stays wrong: there is nothing to wait for.
            "TEST_CLUSTER_WAIT": "0" if faults else "60",
            "TEST_CLUSTER_EVERY": "0.05",
        }
        done = subprocess.run([SCRIPT], env=environment, capture_output=True, text=True, timeout=120)
        return done, (folder / "calls").read_text()

    def test_it_refuses_without_kubeconfig(self):
        environment = {name: text for name, text in os.environ.items() if name != "KUBECONFIG"}
        done = subprocess.run([SCRIPT], env=environment, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 2)
        self.assertIn("KUBECONFIG is not set", done.stderr)

    def test_where_everything_is_right_all_of_it_holds(self):
        done, calls = self.run_with()
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for number in range(1, 9):
            self.assertIn(f"\n{number}. holds: ", done.stdout)
            self.assertIn(f"\n {number}. ", done.stdout)
        self.assertIn("helmfile --file infra/helmfile.yaml.gotmpl --environment masthead apply", calls)
        self.assertIn("exec statefulset/masthead -- /masthead doctor http://127.0.0.1:3000 --kubernetes --user admin", calls)
        self.assertNotIn("destroy", calls)

    def test_the_doctor_is_asked_with_the_password_that_the_chart_mounts(self):
        objects = helmfile.releases("masthead")["masthead"].objects()
        (container,) = one(objects, "StatefulSet", "masthead")["spec"]["template"]["spec"]["containers"]
        _, calls = self.run_with()
        (called,) = re.findall(r"/masthead doctor .* --password-file (\S+)$", calls, re.MULTILINE)
        self.assertEqual(env(container)["MASTHEAD_AUTH_ADMIN_PASSWORD_FILE"], called)

    def test_what_breaks_half_way_is_told_and_destroyed_all_the_same(self):
        done, calls = self.run_with(broken=True, destroy=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("FAILED: ", done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        self.assertIn("--environment masthead destroy", calls)

    def test_an_image_without_doctor_is_not_said_to_be_verified(self):
        done, calls = self.run_with(old=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("\n8. NOT VERIFIED", done.stdout)
        self.assertNotIn("/masthead doctor", calls)

    def test_each_fault_is_found(self):
        for faults, complaint in (
            ({"labels": {"app": "shop"}}, "the label app is 'shop'"),
            ({"labels": {"node_name": "node-2"}}, "the pod runs on 'node-1'"),
            ({"labels": {"pod": "other"}}, "the label pod is 'other'"),
            ({"doubled": True}, "finds 2 lines, not one"),
            ({"pod": "other"}, "every pod of the API is up"),
            ({"open": True}, "answers 200 without a password"),
            ({"sick": True}, "selects no Service"),
        ):
            with self.subTest(faults=faults):
                done, _ = self.run_with(**faults)
                self.assertEqual(done.returncode, 1)
                self.assertIn(complaint, done.stderr)


if __name__ == "__main__":
    unittest.main()
