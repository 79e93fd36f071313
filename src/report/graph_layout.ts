/* Where blocks and the bends of edges go: dagre's layered layout, as control-flow graphs are drawn in books.  Edges keep
 * dagre's bends, so that a backward jump goes around the blocks and not through them. */
import dagre from "@dagrejs/dagre";

export interface Box {
    id: string;
    width: number;
    height: number;
}

export interface Line {
    id: string;
    from: string;
    to: string;
}

export interface Point {
    x: number;
    y: number;
}

export interface Layout {
    positions: Map<string, Point>;
    bends: Map<string, { distances: number[]; weights: number[] }>;
}

/* cytoscape wants a bend as its distance from the straight line between the blocks and how far along that line. */
function relative(from: Point, to: Point, bend: Point): { distance: number; weight: number } {
    const dx = to.x - from.x;
    const dy = to.y - from.y;
    const length = Math.hypot(dx, dy) || 1;
    return {
        weight: ((bend.x - from.x) * dx + (bend.y - from.y) * dy) / (length * length),
        distance: ((bend.y - from.y) * dx - (bend.x - from.x) * dy) / length,
    };
}

export function layout(boxes: Box[], lines: Line[]): Layout {
    const graph = new dagre.graphlib.Graph({ multigraph: true });
    graph.setGraph({ rankdir: "TB", nodesep: 36, edgesep: 16, ranksep: 46, ranker: "network-simplex" });
    graph.setDefaultEdgeLabel(() => ({}));
    for (const { id, width, height } of boxes) graph.setNode(id, { width, height });
    for (const { id, from, to } of lines) if (from !== to) graph.setEdge(from, to, {}, id);
    dagre.layout(graph);

    const positions = new Map<string, Point>();
    for (const { id } of boxes) {
        const { x, y } = graph.node(id);
        positions.set(id, { x: x ?? 0, y: y ?? 0 });
    }
    const bends: Layout["bends"] = new Map();
    for (const { id, from, to } of lines) {
        if (from === to) continue;
        const points: Point[] = graph.edge({ v: from, w: to, name: id })?.points ?? [];
        const inner = points.slice(1, -1).map((p) => relative(positions.get(from)!, positions.get(to)!, p));
        bends.set(id, { distances: inner.map((p) => p.distance), weights: inner.map((p) => p.weight) });
    }
    return { positions, bends };
}
