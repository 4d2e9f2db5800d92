"""The same photo with every checker asked: source, edges, two variants, the rules of two marketplaces.

python examples/advanced.py          prints one line per judgement and writes ring-report.json
"""

import json
from pathlib import Path

import vitrina

MARKETS = ("kaspi", "wildberries")

photo = Path(__file__).with_name("ring.jpg")
source = vitrina.take_in(photo.read_bytes(), name=photo.name)
judged = {"source": vitrina.inspect(source)}

cut = vitrina.cutout(source)
judged["edges"] = vitrina.check_edges(source, cut)
print(f"{len(cut.parts)} part(s), {sum(part.holes for part in cut.parts)} hole(s) that show daylight, by {cut.method}")

for look in ("white", "grey"):
    variant = vitrina.compose(cut, look)
    for market in MARKETS:
        draft = vitrina.render(variant, market=market)
        shipped = vitrina.take_in(draft.data, name=f"{market}-{look}.jpg")
        judged[f"{market} {look} shows the piece"] = vitrina.verify(source, shipped, matte=cut.alpha)
        judged[f"{market} {look} keeps the rules"] = vitrina.check_rules(draft.data, market=market)

for what, judgement in judged.items():
    worst = [finding.message for finding in judgement.findings if finding.severity is not vitrina.Severity.NOTE]
    print(f"{what:34} {judgement.verdict:7} {worst[0] if worst else ''}")

report = {what: judgement.as_dict() for what, judgement in judged.items()}
Path("ring-report.json").write_text(json.dumps(report, ensure_ascii=False, indent=1), "utf-8")
