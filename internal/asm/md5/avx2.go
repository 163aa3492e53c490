package main

import "memberradius/internal/asm"

// Registers of the AVX2 kernel, which has half as many, of half the width: Y0-Y3
// the state of lanes 0 to 7, Y4-Y7 that of lanes 8 to 15, Y8-Y13 scratch, Y14
// the constant of the step, Y15 all ones. The words of the blocks are in the frame.
//
// The two halves take their steps in turn: one fills the other's waiting.
func halfState(h, n int) string { return asm.Y(4*h + n) }
func halfFree(n int) string     { return asm.Y(8 + n) }

const (
	sineRegister = "Y14"
	ones         = "Y15"
	// halfWidth are the octets of a register.
	halfWidth = 32
)

// inFrame is where a word of half the lanes lies in the frame.
func inFrame(word, h int) string { return asm.Mem(4*asm.Lanes*word+halfWidth*h, "SP") }

// inState is where a word of the state of half the lanes lies.
func inState(word, h int) string { return asm.Mem(4*asm.Lanes*word+halfWidth*h, "DI") }

func writeAVX2(w *asm.Writer) {
	begin(w, kernel{"blocksAVX2", "// The frame holds the words of the blocks, word by word, sixteen lanes each.", "0", 4 * asm.Lanes * asm.Words})
	w.Op("VPCMPEQD", ones, ones, ones)
	w.Line("\nblock:")
	for h := range 2 {
		halfGather(w, h)
	}
	w.Note("The state.")
	for i := range 8 {
		w.Op("VMOVDQU", inState(i%4, i/4), halfState(i/4, i%4))
	}
	for _, s := range steps() {
		w.Note("Step %d.", s.number+1)
		w.Op("VPBROADCASTD", asm.Mem(4*s.number, "R8"), sineRegister)
		halfSteps(w, s)
	}
	w.Note("RFC 1321 §3.4: add the state before the block.")
	for i := range 8 {
		w.Op("VPADDD", inState(i%4, i/4), halfState(i/4, i%4), halfState(i/4, i%4))
		w.Op("VMOVDQU", halfState(i/4, i%4), inState(i%4, i/4))
	}
	w.Op("ADDQ", "$64", "DX")
	w.Op("DECQ", "CX")
	w.Op("JNZ", "block")
	w.Op("VZEROUPPER")
	w.Op("RET")
}

// halfGather reads a block of every lane of one half and turns them into the
// frame. Two quarters of a block at a time: a quarter of lane r and of lane r+4
// are put side by side as they are read. The state is in memory meanwhile.
func halfGather(w *asm.Writer, h int) {
	for q := 0; q < 4; q += 2 {
		for i := range asm.Lanes / 2 {
			row, column := i%4, i/4
			w.Note("Lane %d, words %d to %d.", 8*h+i, 4*q, 4*q+7)
			pointTo(w, 8*h+i)
			for k := range 2 {
				to := 4*k + row
				if column == 0 {
					w.Op("VMOVDQU", asm.Mem(16*(q+k), "AX"), asm.X(to))
				} else {
					w.Op("VINSERTI128", asm.Imm(column), asm.Mem(16*(q+k), "AX"), asm.Y(to), asm.Y(to))
				}
			}
		}
		for k := range 2 {
			w.Note("Words %d to %d.", 4*(q+k), 4*(q+k)+3)
			rows := [4]string{asm.Y(4 * k), asm.Y(4*k + 1), asm.Y(4*k + 2), asm.Y(4*k + 3)}
			w.Turn(rows, [4]string{halfFree(0), halfFree(1), halfFree(2), halfFree(3)})
			for i, row := range rows {
				w.Op("VMOVDQU", row, inFrame(4*(q+k)+i, h))
			}
		}
	}
}

// halfSteps writes one step of both halves, an instruction of each in turn.
func halfSteps(w *asm.Writer, s step) {
	first, second := halfStep(s, 0), halfStep(s, 1)
	for i := range first {
		w.Op(first[i][0], first[i][1:]...)
		w.Op(second[i][0], second[i][1:]...)
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
		{"VPSLLD", asm.Imm(s.turn), a, g},
		{"VPSRLD", asm.Imm(32 - s.turn), a, a},
		{"VPOR", g, a, a},
		{"VPADDD", b, a, a},
	}...)
}
