#!/usr/bin/env python3
"""What tests/cli/report.sh wants of calque report --json: report_check.py FILE WHAT, WHAT being a function below.
Prints why not, with status 1."""
import json
import sys

with open(sys.argv[1]) as f:
    r = json.load(f)
blocks, edges, events = r["blocks"], r["edges"], r["events"]
n = len(blocks["eip"])
kinds = [k["name"] for k in r["event_kinds"]]


def need(good, why):
    if not good:
        sys.exit(why)


def at(label):
    """Blocks that begin at a label, in the order in which they were made."""
    return [i for i in range(n) if r["symbols"][blocks["symbol"][i]] == label and blocks["offset"][i] == 0]


def happened(kind, block=None):
    return [{c: events[c][i] for c in events} for i, k in enumerate(events["kind"])
            if kinds[k] == kind and (block is None or events["block"][i] == block)]


def led(frm, to, kind):
    return [i for i in range(len(edges["from"])) if edges["from"][i] in frm and edges["to"][i] in to
            and r["edge_kinds"][edges["kind"][i]] == kind]


def tables():
    need(r["format"] == "calque-report" and r["version"] == 1, "not the format")
    need(all(len(c) == n for c in blocks.values()), "columns of blocks differ in length")
    need(len({len(c) for c in edges.values()}) == 1, "columns of edges differ in length")
    need(len({len(c) for c in events.values()}) == 1, "columns of events differ in length")
    need(all(a <= b for a, b in zip(events["t"], events["t"][1:])), "events are not in order")
    need(all(0 <= e < n for e in edges["from"] + edges["to"]), "an edge leads nowhere")
    need(n == len(happened("made")), "not every block was made")
    need(r["meta"]["complete"] and r["meta"]["dropped"] == 0, "not complete")


def chain():
    me = at("chained")
    need(me, "no such block")
    need(led(me, me, "taken"), "the loop is not chained to itself")
    need(any(blocks["eip"][edges["from"][e]] == blocks["eip"][me[0]] for e in range(len(edges["from"]))
             if r["edge_kinds"][edges["kind"][e]] == "not taken"), "nor on")
    need([e for e in happened("chained") if e["block"] == me[0] and e["a"] == me[0]], "no event of it")


def modify():
    victims, writer = at("victim"), at("writer")
    need(len(victims) == 2, "%d versions of the victim, not 2" % len(victims))
    old = victims[0]
    gone = happened("invalidated", old)
    need(len(gone) == 1, "it was not thrown away once")
    need(gone[0]["a"] == blocks["phys"][old] + 1, "by a write to %#x" % gone[0]["a"])
    need(gone[0]["b"] in writer and gone[0]["c"] == blocks["eip"][writer[0]], "by somebody else")
    need(blocks["gone"][old] == gone[0]["t"] and r["reasons"][blocks["why_gone"][old]] == "write to its code", "why?")
    cut = [e for e in happened("unchained") if e["a"] == old]
    need(cut, "nobody was unchained from it")
    need(edges["until"][cut[0]["b"]] == cut[0]["t"] and edges["to"][cut[0]["b"]] == old, "the edge goes on")
    need(blocks["gone"][victims[1]] == -1 or blocks["gone"][victims[1]] > gone[0]["t"], "the new one is gone, too")


def patch():
    """Blocks that write to code they have looked ahead at: the instruction runs alone, and is still theirs."""
    gone = [e for e in happened("invalidated") if e["a"] == blocks["phys"][at("version")[0]]]
    need(len(gone) > 100, "%d blocks were thrown away" % len(gone))
    for e in gone:
        need(e["b"] >= 0, "block %d by nobody" % e["block"])
        first = blocks["eip"][e["b"]]
        need(first <= e["c"] < first + blocks["guest_bytes"][e["b"]], "by %#x, not in its block" % e["c"])


def callouts():
    me = at("identifying")
    cpuid = [c for c in r["callouts"] if c["name"] == "cpuid"]
    need(cpuid and cpuid[0]["count"] == 100, "not 100 CPUIDs")
    need(cpuid[0]["kind"] == "control registers, MSRs and flags", cpuid[0]["kind"])
    need(sum(blocks["callouts"][b] for b in me) >= 99, "not from that block")
    index = r["callouts"].index(cpuid[0])
    need(sum(e["b"] for e in happened("callout") if e["a"] == index) == 100, "events do not add up")


def lookups():
    kind = "looked up"
    need(led(at("caller"), at("one"), kind) and led(at("caller"), at("two"), kind), "an indirect call leads nowhere")
    need(len(led(at("caller"), at("one"), kind)) == 1, "told more than once")
    need([e for e in led(at("one"), range(n), "return")], "a return leads nowhere")


def fault():
    me = at("faulting")
    found = [e for e in happened("exception") if e["a"] == 14]
    need(len(found) == 1, "%d page faults" % len(found))
    need(found[0]["b"] == blocks["eip"][me[0]] + 8, "found at %#x" % found[0]["b"])
    need(found[0]["block"] in me and 0 < found[0]["c"] <= blocks["host_bytes"][me[0]], "not by its host code")
    view = r["views"].get(str(me[0]))
    if view is None or "+%03x" % found[0]["c"] in view or r["meta"]["backend"] != "x86_64":
        return
    sys.exit("its host code has nothing at +%03x" % found[0]["c"])


def flush():
    gone = happened("flushed")
    need(gone, "none")
    need(gone[0]["a"] > 1000 and gone[0]["b"] > 500000, "%d blocks, %d bytes" % (gone[0]["a"], gone[0]["b"]))
    need(any(r["reasons"][w] == "cache flushed" for w in blocks["why_gone"]), "no block went with it")


def views():
    need(r["views"] and len(r["views"]) == min(n, 1000), "%d views" % len(r["views"]))
    for b, text in r["views"].items():
        need("translated again" not in text, "block %s is another one when translated again:\n%s" % (b, text))
        need("%08x" % blocks["eip"][int(b)] in text and blocks["host_insns"][int(b)] > 0, "no view of block " + b)
        name = r["symbols"][blocks["symbol"][int(b)]]
        need(not name or "<" + name in text.splitlines()[0], "no name in the view of block " + b)


def full():
    meta = r["meta"]
    need(meta["dropped"] > 0 and meta["first_drop"] >= 0, "nothing was dropped")
    need(sum(meta["dropped_kinds"].values()) == meta["dropped"], "kinds do not add up")
    need(meta["complete"], "not complete")
    need("made" not in meta["dropped_kinds"] or "callout" in meta["dropped_kinds"], "blocks went before chatter")


def named():
    need(at("chained") and at("victim"), "no names")


globals()[sys.argv[2]]()
