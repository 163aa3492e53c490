package main

import "fmt"

// Registers of the AVX-512 kernel: Z0-Z15 the words of the blocks, word i of all
// sixteen lanes in Zi; Z16-Z19 the state, Z20-Z23 the state before the block,
// Z24-Z27 scratch.
func wide(n int) string { return fmt.Sprintf("Z%d", n) }

func wideState(n int) string { return wide(16 + n) }
func wideSaved(n int) string { return wide(20 + n) }
func wideFree(n int) string  { return wide(24 + n) }

func writeAVX512(w *writer) {
	w.begin("blocksAVX512", "// The state of all lanes stays in registers from block to block.", "NOSPLIT", 0)
	for i := range 4 {
		w.op("VMOVDQU32", mem(4*lanes*i, "DI"), wideState(i))
	}
	w.line("\nblock:")
	wideGather(w)
	for i := range 4 {
		w.op("VMOVDQA32", wideState(i), wideSaved(i))
	}
	for _, s := range steps() {
		wideStep(w, s)
	}
	w.note("RFC 1321 §3.4: add the state before the block.")
	for i := range 4 {
		w.op("VPADDD", wideSaved(i), wideState(i), wideState(i))
	}
	w.op("ADDQ", "$64", "DX")
	w.op("DECQ", "CX")
	w.op("JNZ", "block")
	w.line("")
	for i := range 4 {
		w.op("VMOVDQU32", wideState(i), mem(4*lanes*i, "DI"))
	}
	w.op("VZEROUPPER")
	w.op("RET")
}

// wideGather reads a block of every lane and turns them, so that a register
// holds one word of all lanes. Quarters of a block (four words) of the lanes r,
// r+4, r+8 and r+12 are put side by side as they are read; what is left to turn
// is four by four words within each quarter of the registers.
func wideGather(w *writer) {
	for lane := range lanes {
		row, column := lane%4, lane/4
		w.note("Lane %d.", lane)
		w.pointTo(lane)
		for q := range 4 {
			to := 4*q + row
			if column == 0 {
				w.op("VMOVDQU", mem(16*q, "AX"), fmt.Sprintf("X%d", to))
			} else {
				w.op("VINSERTI32X4", imm(column), mem(16*q, "AX"), wide(to), wide(to))
			}
		}
	}
	for q := range 4 {
		w.note("Words %d to %d.", 4*q, 4*q+3)
		turn(w, [4]string{wide(4 * q), wide(4*q + 1), wide(4*q + 2), wide(4*q + 3)},
			[4]string{wideFree(0), wideFree(1), wideFree(2), wideFree(3)})
	}
}

// turn transposes four by four words, in every quarter of the registers by itself.
func turn(w *writer, rows, free [4]string) {
	w.op("VPUNPCKLDQ", rows[1], rows[0], free[0])
	w.op("VPUNPCKHDQ", rows[1], rows[0], free[1])
	w.op("VPUNPCKLDQ", rows[3], rows[2], free[2])
	w.op("VPUNPCKHDQ", rows[3], rows[2], free[3])
	w.op("VPUNPCKLQDQ", free[2], free[0], rows[0])
	w.op("VPUNPCKHQDQ", free[2], free[0], rows[1])
	w.op("VPUNPCKLQDQ", free[3], free[1], rows[2])
	w.op("VPUNPCKHQDQ", free[3], free[1], rows[3])
}

// wideStep is one step of all lanes. The next step waits for this one's b alone,
// so what does not need it is added first.
func wideStep(w *writer, s step) {
	a, b, c, d := wideState(s.a), wideState(s.b), wideState(s.c), wideState(s.d)
	f, sum := wideFree(0), wideFree(1)
	w.note("Step %d.", s.number+1)
	w.op("VPADDD.BCST", mem(4*s.number, "R8"), wide(s.word), sum)
	w.op("VPADDD", sum, a, a)
	w.op("VMOVDQA32", b, f)
	w.op("VPTERNLOGD", imm(truth(s.round)), d, c, f)
	w.op("VPADDD", f, a, a)
	w.op("VPROLD", imm(s.turn), a, a)
	w.op("VPADDD", b, a, a)
}
