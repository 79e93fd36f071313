/* Where blocks and the bends of edges go: dagre's layered layout, as control-flow graphs are drawn in books.  Parts that
 * hang together are laid out by themselves and put beside each other in rows, so that many small parts fill the space
 * rather than one long line.  Edges keep dagre's bends: a backward jump goes around the blocks and not through them. */
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

/* An edge's way: where it leaves and arrives, from the middle of its blocks, and its bends as cytoscape has them: the
 * distance from the straight line between the ends, and how far along that line. */
export interface Way {
    leaves: Point;
    arrives: Point;
    distances: number[];
    weights: number[];
}

export interface Layout {
    positions: Map<string, Point>;
    ways: Map<string, Way>;
}

interface Part {
    boxes: Box[];
    lines: Line[];
}

const PART_GAP = 60;
const EDGE_MARGIN = 14; // pixels from a block's corner

function parts(boxes: Box[], lines: Line[]): Part[] {
    const leader = new Map(boxes.map(({ id }) => [id, id]));
    const find = (id: string): string => {
        let at = id;
        while (leader.get(at) !== at) at = leader.get(at)!;
        leader.set(id, at);
        return at;
    };
    for (const { from, to } of lines) leader.set(find(from), find(to));
    const found = new Map<string, Part>();
    for (const box of boxes) {
        const part = found.get(find(box.id));
        if (part) part.boxes.push(box);
        else found.set(find(box.id), { boxes: [box], lines: [] });
    }
    for (const line of lines) found.get(find(line.from))!.lines.push(line);
    return [...found.values()];
}

function bend(from: Point, to: Point, at: Point): { distance: number; weight: number } {
    const dx = to.x - from.x;
    const dy = to.y - from.y;
    const length = Math.hypot(dx, dy) || 1;
    return {
        weight: ((at.x - from.x) * dx + (at.y - from.y) * dy) / (length * length),
        distance: ((at.y - from.y) * dx - (at.x - from.x) * dy) / length,
    };
}

/* The point of the box's upper or lower side that is nearest to where the edge goes. */
function port(box: Box, middle: Point, towards: Point): Point {
    const room = Math.max(0, box.width / 2 - EDGE_MARGIN);
    return {
        x: Math.max(-room, Math.min(room, towards.x - middle.x)),
        y: (towards.y < middle.y ? -1 : 1) * (box.height / 2),
    };
}

const plus = (a: Point, b: Point): Point => ({ x: a.x + b.x, y: a.y + b.y });

function way(from: Box, fromAt: Point, to: Box, toAt: Point, bends: Point[]): Way {
    const leaves = port(from, fromAt, bends[0] ?? toAt);
    const arrives = port(to, toAt, bends[bends.length - 1] ?? fromAt);
    const inner = bends.map((point) => bend(plus(fromAt, leaves), plus(toAt, arrives), point));
    return { leaves, arrives, distances: inner.map((p) => p.distance), weights: inner.map((p) => p.weight) };
}

/* One part, from (0, 0) on. */
function layOut(part: Part): Layout & { width: number; height: number } {
    const graph = new dagre.graphlib.Graph({ multigraph: true });
    graph.setGraph({ rankdir: "TB", nodesep: 36, edgesep: 18, ranksep: 44 });
    graph.setDefaultEdgeLabel(() => ({}));
    for (const { id, width, height } of part.boxes) graph.setNode(id, { width, height });
    const lines = part.lines.filter(({ from, to }) => from !== to);
    for (const { id, from, to } of lines) graph.setEdge(from, to, {}, id);
    dagre.layout(graph);

    const boxes = new Map(part.boxes.map((box) => [box.id, box]));
    const positions = new Map(
        part.boxes.map(({ id }): [string, Point] => [id, { x: graph.node(id).x ?? 0, y: graph.node(id).y ?? 0 }]),
    );
    const ways: Layout["ways"] = new Map();
    for (const { id, from, to } of lines) {
        const points: Point[] = graph.edge({ v: from, w: to, name: id })?.points ?? [];
        ways.set(
            id,
            way(boxes.get(from)!, positions.get(from)!, boxes.get(to)!, positions.get(to)!, points.slice(1, -1)),
        );
    }
    const { width = 0, height = 0 } = graph.graph();
    return { positions, ways, width, height };
}

/* aspect: the width of the space there is, as a share of its height. */
export function layout(boxes: Box[], lines: Line[], aspect: number): Layout {
    const laidOut = parts(boxes, lines).map(layOut);
    const area = laidOut.reduce((sum, part) => sum + (part.width + PART_GAP) * (part.height + PART_GAP), 0);
    const rowWidth = Math.max(Math.sqrt(area * aspect), ...laidOut.map((part) => part.width));
    const whole: Layout = { positions: new Map(), ways: new Map() };
    let [x, y, rowHeight] = [0, 0, 0];
    for (const part of laidOut.sort((a, b) => b.height - a.height)) {
        if (x > 0 && x + part.width > rowWidth) {
            y += rowHeight + PART_GAP;
            [x, rowHeight] = [0, 0];
        }
        for (const [id, at] of part.positions) whole.positions.set(id, plus(at, { x, y }));
        for (const [id, line] of part.ways) whole.ways.set(id, line);
        x += part.width + PART_GAP;
        rowHeight = Math.max(rowHeight, part.height);
    }
    return whole;
}
