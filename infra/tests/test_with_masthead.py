"""The containers of the chart `masthead` on this machine, with the binary of this tree: it accepts what
the chart gives it, and lets in whom the chart gives a password or a token."""

import base64
import importlib.machinery
import importlib.util
import json
import re
import tempfile
import time
import unittest

from chartlib import INFRA, ROOT, helm, process
from chartlib.objects import one

WORKLOADS = {"server": ("StatefulSet", "masthead"), "collector": ("DaemonSet", "masthead-collector")}
NOT_BUILT = "no masthead here: cargo build --package masthead"


def test_cluster():
    """The script, as a module."""
    loader = importlib.machinery.SourceFileLoader("test_cluster", str(ROOT / "scripts" / "test-cluster"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def render(values=None):
    return helm.objects(INFRA / "charts" / "masthead", values, "masthead", "monitoring")


@unittest.skipUnless(process.binary(), NOT_BUILT)
class WithMasthead(unittest.TestCase):
    def setUp(self):
        self.objects = render()
        self.folder = self.enterContext(tempfile.TemporaryDirectory())

    def container(self, part, objects=None, **more):
        objects = objects or self.objects
        container = process.Container(objects, one(objects, *WORKLOADS[part]), f"{self.folder}/{part}", **more)
        if not container.help():
            self.skipTest(f"this masthead has no command {container.args[0]}")
        return container

    def test_it_accepts_the_configuration_and_supports_all_of_it(self):
        for part in WORKLOADS:
            with self.subTest(part=part):
                code, said = self.container(part).check()
                self.assertEqual(code, 0, said)
                if "not supported yet: remote_write" in said:
                    self.skipTest("this masthead does not forward samples")
                self.assertNotIn("not supported", said)

    def test_a_wrong_configuration_is_refused_with_its_key(self):
        code, said = self.container("server", render({"server": {"config": {"queri": {"timeout": "1m"}}}})).check()
        self.assertEqual(code, 2)
        self.assertIn("queri", said)

    def test_it_knows_every_variable(self):
        for part in WORKLOADS:
            container = self.container(part)
            known = set(re.findall(r"\[env: (MASTHEAD_\w+)", container.help()))
            given = {name for name in container.env if name.startswith("MASTHEAD_")}
            self.assertTrue(given, part)
            self.assertLessEqual(given, known, part)

    def test_passwords_and_tokens_let_in_whom_they_are_for(self):
        with self.container("server") as server:
            password = process.secret(self.objects, "grafana", "admin-password")
            push, read = (process.secret(self.objects, "masthead-tokens", f"{n}-token") for n in ("push", "read"))
            admin = "Basic " + base64.b64encode(f"admin:{password}".encode()).decode()
            line = {"streams": [{"stream": {"app": "shop"}, "values": [[str(time.time_ns()), "a line"]]}]}
            pushing = ("/loki/api/v1/push", json.dumps(line).encode())
            for who, authorization, may_read, may_push in (
                ("nobody", {}, 401, 401),
                ("the administrator", {"Authorization": admin}, 200, 204),
                ("a wrong password", {"Authorization": "Basic " + base64.b64encode(b"admin:x").decode()}, 401, 401),
                ("the collector", {"Authorization": f"Bearer {push}"}, 403, 204),
                ("who scrapes", {"Authorization": f"Bearer {read}"}, 200, 403),
            ):
                with self.subTest(who=who):
                    for path in ("/metrics", "/api/v1/query?query=up", "/loki/api/v1/labels"):
                        self.assertEqual(server.ask(path, **authorization)[0], may_read, path)
                    status, said = server.ask(*pushing, Content_Type="application/json", **authorization)
                    self.assertEqual(status, may_push, said)
            # Probes come without any.
            for path in ("/-/healthy", "/-/ready"):
                self.assertEqual(server.ask(path)[0], 200)

    def test_the_doctor_of_test_cluster_is_let_in(self):
        with self.container("server") as server:
            _, _, *flags = test_cluster().doctor("admin")
            said = server.run("doctor", server.url(), *flags).stdout
            self.assertRegex(said, r"(?m)^ok +server ")
            self.assertNotIn("401", said)
            # There is no cluster here, and it looks further than the server.
            self.assertRegex(said, r"(?m)^broken +cluster ")
            self.assertIn("401", server.run("doctor", server.url()).stdout)

    def test_the_collector_delivers_to_the_server(self):
        """Both containers at once: a line of a pod of the API."""
        self.container("collector")
        with self.container("server") as server:

            def to_the_server(config):
                url = server.url()
                config["logs"]["clients"][0]["url"], config["metrics"]["remote_write"][0]["url"] = (
                    f"{url}/loki/api/v1/push",
                    f"{url}/api/v1/write",
                )
                # There is no kubelet here, and nobody waits half a minute for the first sample.
                config["metrics"]["scrape_configs"] = []
                config["metrics"]["global"]["scrape_interval"] = "1s"

            # The node's name comes from the pod's description.
            collector = self.container("collector", change=to_the_server)
            folder = collector.folder / "var/log/pods/devops-demo_api-7d9c5b7f6d-x2v4k_6f1c/api"
            folder.mkdir(parents=True)
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S.123456789Z", time.gmtime())
            (folder / "0.log").write_text(f'{stamp} stdout F {{"level":"INFO","request_id":"my-first-request"}}\n')
            read = {"Authorization": "Bearer " + process.secret(self.objects, "masthead-tokens", "read-token")}
            with collector:

                def tell():
                    return f"{server.tell()}\n{collector.tell()}"

                def lines():
                    query = "/loki/api/v1/query_range?query=%7Bapp%3D%22api%22%7D&since=1h"
                    return process.result(server.ask(query, **read)[1])

                process.until(lines, tell)
                (stream,) = lines()
                want = {
                    "app": "api",
                    "namespace": "devops-demo",
                    "pod": "api-7d9c5b7f6d-x2v4k",
                    "container": "api",
                    "node_name": "node-1",
                    "job": "devops-demo/api",
                    "stream": "stdout",
                }
                self.assertLessEqual(want.items(), stream["stream"].items())
                self.assertEqual(
                    [text for _, text, *_ in stream["values"]], ['{"level":"INFO","request_id":"my-first-request"}']
                )


if __name__ == "__main__":
    unittest.main()
