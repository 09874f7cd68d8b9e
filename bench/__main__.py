"""`make bench`: every measurement, each in a process and on data of its own. Name some to run only those.

make bench ARGS="web seats"
"""

import os
import subprocess
import sys
import tempfile

MEASURED = {
    "web": "next page and ballot at 10,000 prompts; ballots a second with 1, 8 and 32 annotators",
    "seats": "claims and ballots at three sizes and with three crowds, on both databases",
    "marking": "comparing and flagging candidates, with the encoder and without",
    "generation": "the whole path against one prompt at a time, with the small model and both local engines",
    "dispatch": "what a candidate costs besides its model",
    "scaling": "a million candidates on 1, 8 and 64 GPUs, simulated",
    "statistics": "statistics of a million ratings, and ratios against the libraries the tests check with",
    "gpu": "this machine's GPU against the fastest other engine; writes docs/performance.md",
}


def main() -> int:
    names = sys.argv[1:] or list(MEASURED)
    if unknown := [name for name in names if name not in MEASURED]:
        print(f"no such measurement: {', '.join(unknown)}; there are {', '.join(MEASURED)}", file=sys.stderr)
        return 2
    failed = 0
    for name in names:
        print(f"\n{name}: {MEASURED[name]}", flush=True)
        with tempfile.TemporaryDirectory(prefix=f"empanel-bench-{name}-") as folder:
            command = [sys.executable, "-m", f"bench.{name}"]
            failed += bool(
                subprocess.run(command, env=os.environ | {"DATA_DIR": folder}, check=False).returncode
            )
    return int(failed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
