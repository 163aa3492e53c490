// Command sha1 writes the assembly of package sha1many. It runs in that package's
// folder, by go generate; a test compares what it writes with what is there.
package main

import (
	"fmt"

	"memberradius/internal/asm"
)

// output is the file that it writes, in the folder of package sha1many. Its
// first letter marks it as generated.
const output = "zblocks_amd64.s"

func main() { assembly().Write(output) }

// Registers: Z0-Z15 the last sixteen words of the message schedule, of all
// sixteen lanes; Z16-Z20 the state, Z21-Z25 the state before the block; Z26 and
// Z27 scratch; Z28-Z31 the constants of the four rounds. Gather uses Z24-Z27
// before the state is saved there; Z26 holds the order of octets after it.
func state(n int) string { return asm.Z(16 + n) }
func saved(n int) string { return asm.Z(21 + n) }
func round(n int) string { return asm.Z(28 + n) }

const (
	digestWords = 5
	order       = "Z26"
	sum, f      = "Z26", "Z27"
)

// assembly returns the whole file.
func assembly() *asm.Writer {
	w := &asm.Writer{}
	w.Begin()
	w.Line("// K of FIPS 180-4 §4.2.1, and the order of octets in a word.")
	w.Table("constants", []uint32{0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6})
	w.Table("order", []uint32{0x00010203, 0x04050607, 0x08090a0b, 0x0c0d0e0f})
	begin(w)
	w.Line("\nblock:")
	w.Gather(func(lane int) {
		if lane == 0 {
			w.Op("MOVQ", "SI", "AX")
		} else {
			w.Op("ADDQ", "BX", "AX")
		}
	})
	w.Note("Words are big-endian.")
	w.Op("VBROADCASTI32X4", "order<>(SB)", order)
	for i := range asm.Words {
		w.Op("VPSHUFB", order, asm.Z(i), asm.Z(i))
	}
	for i := range digestWords {
		w.Op("VMOVDQA32", state(i), saved(i))
	}
	for t := range 80 {
		step(w, t)
	}
	w.Note("FIPS 180-4 §6.1.2, step 4: add the state before the block.")
	for i := range digestWords {
		w.Op("VPADDD", saved(i), state(i), state(i))
	}
	w.Op("ADDQ", "$64", "SI")
	w.Op("DECQ", "CX")
	w.Op("JNZ", "block")
	w.Line("")
	for i := range digestWords {
		w.Op("VMOVDQU32", state(i), asm.Mem(4*asm.Lanes*i, "DI"))
	}
	w.Op("VZEROUPPER")
	w.Op("RET")
	return w
}

// begin opens the kernel: loads the arguments into fixed registers.
func begin(w *asm.Writer) {
	w.Line("\n// func blocks(words *state, rows *byte, stride, n int)")
	w.Line("// The state of all lanes stays in registers from block to block.")
	w.Line("//")
	w.Line("// DI state, SI block of lane 0, BX stride, CX blocks to go, AX block of a lane.")
	w.Line("TEXT ·blocks(SB), NOSPLIT, $0-32")
	w.Op("MOVQ", "words+0(FP)", "DI")
	w.Op("MOVQ", "rows+8(FP)", "SI")
	w.Op("MOVQ", "stride+16(FP)", "BX")
	w.Op("MOVQ", "n+24(FP)", "CX")
	for i := range digestWords {
		w.Op("VMOVDQU32", asm.Mem(4*asm.Lanes*i, "DI"), state(i))
	}
	for i := range 4 {
		w.Op("VPBROADCASTD", fmt.Sprintf("constants<>+%d(SB)", 4*i), round(i))
	}
}

// functions are Ch, Parity and Maj of FIPS 180-4 §4.1.1, as rounds take them.
var functions = [4]func(x, y, z int) int{
	func(x, y, z int) int { return x&y | (x^1)&z },
	parity,
	func(x, y, z int) int { return x&y | x&z | y&z },
	parity,
}

func parity(x, y, z int) int { return x ^ y ^ z }

// step is one of the 80 of FIPS 180-4 §6.1.2, of all lanes. The five words keep
// their places here, where the standard moves them from step to step.
func step(w *asm.Writer, t int) {
	place := func(n int) string { return state((n + 4*t) % digestWords) }
	a, b, c, d, e := place(0), place(1), place(2), place(3), place(4)
	word := asm.Z(t % asm.Words)
	w.Note("Step %d.", t)
	if t >= asm.Words {
		// W(t) = (W(t-3) ^ W(t-8) ^ W(t-14) ^ W(t-16)) <<< 1; W(t-16) is in its place.
		before := func(n int) string { return asm.Z((t - n) % asm.Words) }
		w.Op("VPTERNLOGD", asm.Imm(asm.Truth(parity)), before(8), before(14), word)
		w.Op("VPXORD", before(3), word, word)
		w.Op("VPROLD", asm.Imm(1), word, word)
	}
	w.Op("VPADDD", round(t/20), e, e)
	w.Op("VMOVDQA32", b, f)
	w.Op("VPADDD", word, e, e)
	w.Op("VPTERNLOGD", asm.Imm(asm.Truth(functions[t/20])), d, c, f)
	w.Op("VPADDD", f, e, e)
	w.Op("VPROLD", asm.Imm(5), a, sum)
	w.Op("VPROLD", asm.Imm(30), b, b)
	w.Op("VPADDD", sum, e, e)
}
