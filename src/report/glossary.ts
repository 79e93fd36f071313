/* The words of the trade, explained where they appear: any element that term() made shows its text when pointed at or
 * focused.  The keys dialog lists them all. */
import { make } from "./dom";

export const GLOSSARY: Record<string, string> = {
    "translation block":
        "A run of guest instructions up to the next jump, translated into host code once and then run many times. The unit of everything on this page.",
    "code cache":
        "The memory that holds the translated blocks, with a table that finds them by physical address and processor mode.",
    chain: "A jump from one block straight into the next, patched into its host code the first time it is taken. After that the execution loop is not asked again.",
    unchained: "A patched jump was taken back, because the block it led to has gone.",
    lookup: "An indirect jump, call or return whose target is only known when it runs: looked up in the jump cache each time, so it is drawn dashed.",
    invalidated: "The block was thrown away: the guest wrote to memory that it was translated from.",
    "self-modifying code":
        "Code that is written to after it has run: patched jumps of a kernel, loaded programs, reused pages. Each such write throws away just the blocks it touches.",
    flush: "The whole cache was emptied, because it was full or the guest changed something that all translations depend on.",
    callout:
        "A call from translated code to a C function, for guest instructions that are too rare or too complicated to be translated: CPUID, port input and output, control registers.",
    exception:
        "A fault or trap raised by an instruction in translated code. The position in host code is turned back into the exact guest instruction by a side table.",
    interrupt: "A device or timer wants attention; taken between blocks, where the guest's state is complete.",
    heat: "How often a block was found running when the recording looked (a sample). Hot blocks are where the time goes.",
    sample: "The recording looks at regular intervals which block is running. Many samples mean much time.",
    hot: "Among the blocks that together took nine tenths of all samples.",
    gone: "No longer in the cache: its code was overwritten, or the cache was flushed.",
    mode: "What a translation depends on beside the code: privilege level, 16 or 32 bits, whether segments are flat, whether the FPU may be used. The same code in another mode is another block.",
    IR: "Intermediate representation: what guest instructions are translated to first, and what the optimising passes work on, before host code is made of it.",
    host: "The machine that Calque runs on; its code is what is really executed.",
    guest: "The machine that is emulated; its code is what the operating system in it thinks is executed.",
    expansion: "Host bytes for each guest byte, out-of-line code included.",
    "out of line":
        "Code kept behind the block for what seldom happens, such as a miss in the TLB, so that the common way stays short.",
    "TLB check":
        "Is the page of this address in the translation lookaside buffer? If so, the address of the memory on the host is one addition away.",
    CPUState:
        "The struct with the guest's processor state that is not in host registers: segments, control registers, flags set aside.",
    "page check": "Is the guest page that this block was translated from still the one mapped at this address?",
    "segment check": "Is the offset inside the segment's limit? Only needed for segments that are not flat.",
    "flag save":
        "The guest's arithmetic flags live in the host's; they are stored only when something in between would destroy them.",
    "chain slot": "Where the jump to the next block is patched in; unlinked, it goes to the execution loop instead.",
    "interrupt poll": "Backward jumps ask whether an interrupt is waiting, so that no loop can shut it out.",
    "interrupt exit": "An interrupt is waiting: back to the execution loop.",
    address: "Works out the guest address of an operand.",
    "slow load": "The TLB missed: C code walks the page tables, or talks to a device.",
    "slow store": "The TLB missed, or the page holds translated code: C code does the store.",
    "cannot enter": "The page check failed: back to the execution loop, which looks the block up anew.",
    "jump cache lookup": "An indirect jump's target is sought in a small table of recent ones, in line.",
    "return stack check": "Guest calls are host calls; is the return address the one that the host will return to?",
    "return mispredicted": "The guest returned to somewhere else than it was called from: the target is looked up.",
    "indirect exit": "The target of an indirect jump is not in the jump cache: the execution loop looks for it.",
    "lookup told": "A lookup is reported to the recording, the first time that this block goes there.",
    tally: "Counts the callout, for the recording.",
    "address for its run": "Several accesses close to each other share one check; this is the lowest address of them.",
    "slow shared check":
        "The check that several accesses share has failed: C code fills the TLB for the first, or has the block made anew with a check each.",
    "slow read-modify-write": "The TLB missed: C code finds the operand, which is then read and written.",
    "window access":
        "User code's memory may be mapped into the host's address space as it is: no check, the host's MMU does it.",
    "window miss": "The host's MMU found no page there: the access is done the checked way.",
    "flag load": "The guest's arithmetic flags are fetched back into the host's.",
    "mode check": "An instruction may have changed the mode that the rest of the block was translated for.",
    "mode changed": "It did: back to the execution loop, which looks for a block in the new mode.",
    "return stack push":
        "A guest call pushes its return address beside the host's, so that the host predicts the return.",
    "return stack pop": "The call has come back: its entry is taken off.",
    "return stack full": "Calls too deep for the stack of return addresses: it begins anew.",
    "divide error check":
        "Could the quotient be too large for the host's division? The host must never raise the exception.",
    "slow division": "It could: C code divides, or raises the guest's divide error.",
    "load x87 state": "The guest's x87 state is put into the host's unit.",
    "load XMM state": "The guest's XMM state is put into the host's unit.",
    "XMM unit check": "Are the guest's XMM registers in the host's? If not, they are loaded first.",
    spill: "More values are alive than there are registers: one waits in memory.",
    count: "Counts instructions, where time or a limit is measured in them (-icount).",
    "count back":
        "Fewer instructions may run before the next event than the block has: the count is taken back, and the execution loop decides.",
    exit: "The block's end without a chain: back to the execution loop.",
    leave: "Back to the execution loop.",
    data: "No instructions, but constants that the code reads.",
    "x87 unit check": "Is the guest's x87 state in the host's unit? If not, it is loaded first.",
};

/* "chain slot, unlinked: CPUState.eip" is explained as "chain slot". */
export function explain(text: string): string | undefined {
    const name = text.split(/[:,.]/)[0].trim();
    return GLOSSARY[name];
}

export function term(name: string, shown = name): HTMLElement {
    return make("span", { class: "term", tabindex: 0, "data-term": name }, shown);
}

/* One tip for the whole page, shown beside whatever has data-term or data-tip. */
export function startTips(): void {
    const tip = make("div", { class: "tip", role: "tooltip", id: "tip", hidden: true });
    document.body.append(tip);
    let owner: Element | null = null;
    const hide = () => {
        owner?.removeAttribute("aria-describedby");
        owner = null;
        tip.hidden = true;
    };
    const show = (target: EventTarget | null) => {
        const element = target instanceof Element ? target.closest<HTMLElement>("[data-term], [data-tip]") : null;
        if (element === owner) return;
        hide();
        if (!element) return;
        const text = element.dataset.tip ?? GLOSSARY[element.dataset.term ?? ""];
        if (!text) return;
        owner = element;
        element.setAttribute("aria-describedby", "tip");
        tip.textContent = text;
        tip.hidden = false;
        placeBeside(tip, element.getBoundingClientRect());
    };
    document.addEventListener("pointerover", (event) => show(event.target));
    document.addEventListener("focusin", (event) => show(event.target));
    document.addEventListener("focusout", hide);
    document.addEventListener("scroll", hide, true);
    document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
}

function placeBeside(tip: HTMLElement, box: DOMRect): void {
    const gap = 6;
    const { width, height } = tip.getBoundingClientRect();
    const below = box.bottom + gap + height <= window.innerHeight;
    tip.style.left = `${Math.max(gap, Math.min(box.left, window.innerWidth - width - gap))}px`;
    tip.style.top = `${below ? box.bottom + gap : Math.max(gap, box.top - gap - height)}px`;
}
