/* TAP for the tests of the page. */
let number = 0;
let failed = 0;

export function ok(good, what, why = "") {
    console.log(`${good ? "ok" : "not ok"} ${++number} - ${what}`);
    if (good) return;
    failed++;
    if (why !== "") for (const line of String(why).split("\n")) console.log(`# ${line}`);
}

export const equal = (got, wanted, what) =>
    ok(got === wanted, what, `got ${JSON.stringify(got)}, wanted ${JSON.stringify(wanted)}`);
export const atMost = (got, limit, what) => ok(got <= limit, `${what}: ${Math.round(got)}`, `more than ${limit}`);

export function done() {
    console.log(`1..${number}`);
    process.exit(failed ? 1 : 0);
}
