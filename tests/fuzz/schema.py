"""Hold a running relay to its OpenAPI document (schemathesis).

    python -m tests.fuzz.schema [--examples 200] [--seed 2014]

schemathesis is not among the project's dependencies: `pip install schemathesis` beside the program.
A relay of its own is started on loopback. Half of the bodies are any bytes, the other half are made
from them in the form of their endpoint (`schema_hooks`), so that every answer is seen.

Two of its checks don't fit: a document can't say which bytes are a request, so that schema-valid
ones are refused; and a path with another method is an unknown path here (docs/protocol.md). A
receive is left out: its answer never ends.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import os
import re
import sys
import tempfile
from pathlib import Path

from exile_tui.wire.relay import Path as Endpoint
from tests.integration.relay_support import start

ROOT = Path(__file__).resolve().parents[2]
DONT_FIT = "positive_data_acceptance,unsupported_method,allow_header_conformance"
COMMAND = "from schemathesis.cli import schemathesis; schemathesis()"


async def check(directory: Path, examples: int, seed: int) -> tuple[int, str]:
    """Start a relay and hold it to its document; return the exit code and what was printed."""
    relay = await start(directory / "relay")
    url = f"https://127.0.0.1:{relay.address.port}/openapi.json"
    options = ["--tls-verify=false", "--request-timeout=20", "--exclude-checks", DONT_FIT]
    options += ["--request-retries=2"]  # a connection that was idle for long is closed
    options += ["--exclude-path", Endpoint.RECEIVE]
    options += [f"--max-examples={examples}", f"--seed={seed}", "--phases=coverage,fuzzing"]
    options += ["--continue-on-failure", "--no-color"]
    hooks = {"SCHEMATHESIS_HOOKS": "tests.fuzz.schema_hooks", "PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", COMMAND, "run", url, *options),
        cwd=directory,
        env=os.environ | hooks,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    code = process.returncode or 0
    ended = await relay.end()
    assert (ended, relay.output) == (0, b""), "the relay complained"
    return code, output.decode("utf-8", "replace")


def main() -> int:
    """Check, and print what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--examples", type=int, default=200, help="for each endpoint")
    parser.add_argument("--seed", type=int, default=2014)
    arguments = parser.parse_args()
    if importlib.util.find_spec("schemathesis") is None:
        parser.error("schemathesis is not installed: pip install schemathesis")
    with tempfile.TemporaryDirectory(prefix="exile-schema-") as home:
        code, output = asyncio.run(check(Path(home), arguments.examples, arguments.seed))
    print(output if code else "\n".join(re.findall(r"^.*(?:Tested|generated).*$", output, re.M)))
    return code


if __name__ == "__main__":
    raise SystemExit(main())
