package main

import "fmt"

// Registers of the AVX2 kernel, which has half as many, of half the width: Y0-Y3
// the state of lanes 0 to 7, Y4-Y7 that of lanes 8 to 15, Y8-Y13 scratch, Y14
// the constant of the step, Y15 all ones. The words of the blocks are in the frame.
//
// The two halves take their steps in turn: one fills the other's waiting.
func half(n int) string { return fmt.Sprintf("Y%d", n) }

func halfState(h, n int) string { return half(4*h + n) }
func halfFree(n int) string     { return half(8 + n) }

const (
	sineRegister = "Y14"
	ones         = "Y15"
	// halfWidth are the octets of a register.
	halfWidth = 32
)

// inFrame is where a word of half the lanes lies in the frame.
func inFrame(word, h int) string { return mem(4*lanes*word+halfWidth*h, "SP") }

// inState is where a word of the state of half the lanes lies.
func inState(word, h int) string { return mem(4*lanes*word+halfWidth*h, "DI") }

func writeAVX2(w *writer) {
	w.begin("blocksAVX2", "// The frame holds the words of the blocks, word by word, sixteen lanes each.", "0", 4*lanes*words)
	w.op("VPCMPEQD", ones, ones, ones)
	w.line("\nblock:")
	for h := range 2 {
		halfGather(w, h)
	}
	w.note("The state.")
	for i := range 8 {
		w.op("VMOVDQU", inState(i%4, i/4), halfState(i/4, i%4))
	}
	for _, s := range steps() {
		w.note("Step %d.", s.number+1)
		w.op("VPBROADCASTD", mem(4*s.number, "R8"), sineRegister)
		halfSteps(w, s)
	}
	w.note("RFC 1321 §3.4: add the state before the block.")
	for i := range 8 {
		w.op("VPADDD", inState(i%4, i/4), halfState(i/4, i%4), halfState(i/4, i%4))
		w.op("VMOVDQU", halfState(i/4, i%4), inState(i%4, i/4))
	}
	w.op("ADDQ", "$64", "DX")
	w.op("DECQ", "CX")
	w.op("JNZ", "block")
	w.op("VZEROUPPER")
	w.op("RET")
}

// halfGather reads a block of every lane of one half and turns them into the
// frame. Two quarters of a block at a time: a quarter of lane r and of lane r+4
// are put side by side as they are read. The state is in memory meanwhile.
func halfGather(w *writer, h int) {
	for q := 0; q < 4; q += 2 {
		for i := range lanes / 2 {
			row, column := i%4, i/4
			w.note("Lane %d, words %d to %d.", 8*h+i, 4*q, 4*q+7)
			w.pointTo(8*h + i)
			for k := range 2 {
				to := 4*k + row
				if column == 0 {
					w.op("VMOVDQU", mem(16*(q+k), "AX"), fmt.Sprintf("X%d", to))
				} else {
					w.op("VINSERTI128", imm(column), mem(16*(q+k), "AX"), half(to), half(to))
				}
			}
		}
		for k := range 2 {
			w.note("Words %d to %d.", 4*(q+k), 4*(q+k)+3)
			rows := [4]string{half(4 * k), half(4*k + 1), half(4*k + 2), half(4*k + 3)}
			turn(w, rows, [4]string{halfFree(0), halfFree(1), halfFree(2), halfFree(3)})
			for i, row := range rows {
				w.op("VMOVDQU", row, inFrame(4*(q+k)+i, h))
			}
		}
	}
}

// halfSteps writes one step of both halves, an instruction of each in turn.
func halfSteps(w *writer, s step) {
	first, second := halfStep(s, 0), halfStep(s, 1)
	for i := range first {
		w.op(first[i][0], first[i][1:]...)
		w.op(second[i][0], second[i][1:]...)
	}
}

// halfStep is one step of one half: what does not need b, for which it waits,
// comes first.
func halfStep(s step, h int) [][]string {
	a, b, c, d := halfState(h, s.a), halfState(h, s.b), halfState(h, s.c), halfState(h, s.d)
	f, g := halfFree(3*h), halfFree(3*h+1)
	step := [][]string{
		{"VPADDD", inFrame(s.word, h), sineRegister, f},
		{"VPADDD", f, a, a},
	}
	switch s.round {
	case 0: // F = ((c ^ d) & b) ^ d
		step = append(step, [][]string{{"VPXOR", c, d, f}, {"VPAND", f, b, f}, {"VPXOR", f, d, f}}...)
	case 1: // G = (c & ~d) + (b & d): no bit is in both
		step = append(step, [][]string{{"VPANDN", c, d, f}, {"VPADDD", f, a, a}, {"VPAND", b, d, f}}...)
	case 2: // H = b ^ c ^ d
		step = append(step, [][]string{{"VPXOR", c, d, f}, {"VPXOR", f, b, f}}...)
	case 3: // I = c ^ (b | ~d)
		step = append(step, [][]string{{"VPXOR", d, ones, f}, {"VPOR", f, b, f}, {"VPXOR", f, c, f}}...)
	}
	return append(step, [][]string{
		{"VPADDD", f, a, a},
		{"VPSLLD", imm(s.turn), a, g},
		{"VPSRLD", imm(32 - s.turn), a, a},
		{"VPOR", g, a, a},
		{"VPADDD", b, a, a},
	}...)
}
