"""What `helm test` runs in a pod, run here: the scripts of both charts, against what they are there for."""

import os
import re
import shutil
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

from chartlib import INFRA, helm, process
from chartlib.objects import env, one


def run(objects, pod, **variables):
    """The script of the pod, with variables in place of its own."""
    (container,) = one(objects, "Pod", pod)["spec"]["containers"]
    unknown = set(variables) - set(env(container))
    if unknown or not set(env(container)) <= set(variables):
        raise LookupError(f"{pod} has the variables {sorted(env(container))}")
    command = [*container["command"], *container["args"]]
    given = {"PATH": os.environ["PATH"], **variables}
    return subprocess.run(command, env=given, capture_output=True, text=True, timeout=120)


@unittest.skipUnless(shutil.which("curl"), "no curl here, which the image of the pods has")
class HelmTests(unittest.TestCase):
    @unittest.skipUnless(process.binary("items-api"), "no items-api here: cargo build --package items-api")
    def test_of_the_api(self):
        objects = helm.objects(INFRA / "charts" / "api", {}, "api", "devops-demo")
        (container,) = one(objects, "Deployment", "api")["spec"]["template"]["spec"]["containers"]
        folder = self.enterContext(tempfile.TemporaryDirectory())
        given = {"PATH": os.environ["PATH"], **env(container)}
        given |= {"LISTEN_ADDR": "127.0.0.1:0", "METRICS_ADDR": "127.0.0.1:0"}
        given |= {"DATABASE_URL": f"sqlite://{folder}/items.db?mode=rwc", "SHUTDOWN_DELAY": "0s"}
        api = subprocess.Popen([process.binary("items-api")], env=given, stdout=subprocess.PIPE, text=True)
        # What it writes later is not looked at; it must not stand still at a full pipe.
        reader = threading.Thread(target=lambda: api.stdout.read(), daemon=True)
        self.addCleanup(end, api, reader)
        found = (re.search(r'"listen_addr":"([^"]+)"', line) for line in api.stdout)
        address = next(filter(None, found))[1]
        reader.start()
        done = run(objects, "api-test", API=f"http://{address}")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("The public port shows no metrics.", done.stdout)

    @unittest.skipUnless(process.binary(), "no masthead here: cargo build --package masthead")
    def test_of_masthead(self):
        objects = helm.objects(INFRA / "charts" / "masthead", {}, "masthead", "monitoring")
        folder = self.enterContext(tempfile.TemporaryDirectory())
        with process.Container(objects, one(objects, "StatefulSet", "masthead"), Path(folder)) as server:
            token = process.secret(objects, "masthead-tokens", "read-token")
            url = server.url()
            done = run(
                objects,
                "masthead-test",
                METRICS=f"{url}/api/v1/query",
                LOGS=f"{url}/loki/api/v1/labels",
                TOKEN=token,
            )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("Without the token it is refused.", done.stdout)


def end(program, reader):
    program.terminate()
    program.wait(timeout=60)
    if reader.ident:
        reader.join(timeout=60)
    program.stdout.close()


if __name__ == "__main__":
    unittest.main()
