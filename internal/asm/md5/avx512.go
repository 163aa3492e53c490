package main

import "memberradius/internal/asm"

// Registers of the AVX-512 kernel: Z0-Z15 the words of the blocks, word i of all
// sixteen lanes in Zi; Z16-Z19 the state, Z20-Z23 the state before the block,
// Z24-Z27 scratch.
func wideState(n int) string { return asm.Z(16 + n) }
func wideSaved(n int) string { return asm.Z(20 + n) }
func wideFree(n int) string  { return asm.Z(24 + n) }

func writeAVX512(w *asm.Writer) {
	begin(w, kernel{"blocksAVX512", "// The state of all lanes stays in registers from block to block.", "NOSPLIT", 0})
	for i := range 4 {
		w.Op("VMOVDQU32", asm.Mem(4*asm.Lanes*i, "DI"), wideState(i))
	}
	w.Line("\nblock:")
	w.Gather(func(lane int) { pointTo(w, lane) })
	for i := range 4 {
		w.Op("VMOVDQA32", wideState(i), wideSaved(i))
	}
	for _, s := range steps() {
		wideStep(w, s)
	}
	w.Note("RFC 1321 §3.4: add the state before the block.")
	for i := range 4 {
		w.Op("VPADDD", wideSaved(i), wideState(i), wideState(i))
	}
	w.Op("ADDQ", "$64", "DX")
	w.Op("DECQ", "CX")
	w.Op("JNZ", "block")
	w.Line("")
	for i := range 4 {
		w.Op("VMOVDQU32", wideState(i), asm.Mem(4*asm.Lanes*i, "DI"))
	}
	w.Op("VZEROUPPER")
	w.Op("RET")
}

// wideStep is one step of all lanes. The next step waits for this one's b alone,
// so what does not need it is added first.
func wideStep(w *asm.Writer, s step) {
	a, b, c, d := wideState(s.a), wideState(s.b), wideState(s.c), wideState(s.d)
	f, sum := wideFree(0), wideFree(1)
	w.Note("Step %d.", s.number+1)
	w.Op("VPADDD.BCST", asm.Mem(4*s.number, "R8"), asm.Z(s.word), sum)
	w.Op("VPADDD", sum, a, a)
	w.Op("VMOVDQA32", b, f)
	w.Op("VPTERNLOGD", asm.Imm(asm.Truth(functions[s.round])), d, c, f)
	w.Op("VPADDD", f, a, a)
	w.Op("VPROLD", asm.Imm(s.turn), a, a)
	w.Op("VPADDD", b, a, a)
}
