"""Write README.md from nbs/index.ipynb: prose and code as they are, figures as files beside the
notebook."""

import base64
import json
import re
import sys
from pathlib import Path


def readme(root):
    """The text of README.md. Links lead to the notebooks; code cells that follow each other are one
    block."""
    parts, code = [], False
    for cell in json.loads((root / "nbs/index.ipynb").read_text())["cells"]:
        source = "".join(cell["source"]).strip()
        if cell["cell_type"] == "markdown":
            parts.append(re.sub(r"\]\((?!https?:|#)", "](nbs/", source))
            code = False
        elif "#| hide" not in source:
            lines = "\n".join(
                line for line in source.splitlines() if not line.startswith("#|")
            ).strip()
            parts.append(
                (parts.pop().removesuffix("```") + "\n" if code else "```python\n")
                + lines
                + "\n```"
            )
            code = True
            for out in cell["outputs"]:
                text = "".join(out.get("text", out.get("data", {}).get("text/plain", [])))
                if text.strip() and "image/png" not in out.get("data", {}):
                    parts.append("```\n" + text.rstrip() + "\n```")
    return "\n\n".join(p for p in parts if p) + "\n"


def figure(notebook, which):
    "The PNG of one of the figures that a notebook keeps."
    outputs = [o for c in json.loads(notebook.read_text())["cells"] for o in c.get("outputs", [])]
    pngs = [o["data"]["image/png"] for o in outputs if "image/png" in o.get("data", {})]
    return base64.b64decode("".join(pngs[which]))


if __name__ == "__main__":
    root = Path(__file__).parent.parent
    (root / "nbs/images").mkdir(exist_ok=True)
    (root / "nbs/images/landscape.png").write_bytes(figure(root / "nbs/index.ipynb", -1))
    (root / "nbs/images/lightspeed.png").write_bytes(
        figure(root / "nbs/experiments/lightspeed.ipynb", 0)
    )
    (root / "README.md").write_text(readme(root))
    sys.stdout.write("README.md written\n")
