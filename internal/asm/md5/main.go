// Command md5 writes the assembly of package md5many. It runs in that package's
// folder, by go generate; a test compares what it writes with what is there.
//
// Both kernels do the same with other registers, so they are two small sets of
// instructions under one description of MD5.
package main

import "memberradius/internal/asm"

// output is the file that it writes, in the folder of package md5many. Its
// first letter marks it as generated.
const output = "zblocks_amd64.s"

func main() { assembly().Write(output) }

// assembly returns the whole file.
func assembly() *asm.Writer {
	w := &asm.Writer{}
	w.Begin()
	w.Line("// The table T of RFC 1321 §3.4.")
	var table [64]uint32
	for i := range table {
		table[i] = sine(i)
	}
	w.Table("sines", table[:])
	writeAVX512(w)
	writeAVX2(w)
	return w
}

// kernelArguments is the frame of every kernel's arguments, as its declaration
// in kernel_amd64.go gives it: state, from, at and n, eight octets each.
const kernelArguments = 32

// A kernel is how one of them opens: its name, a sentence about it, its flags
// and its frame in octets.
type kernel struct {
	name, doc, flags string
	frame            int
}

// begin opens a kernel: loads the arguments into fixed registers.
func begin(w *asm.Writer, k kernel) {
	w.Line("\n// func %s(state *[4][lanes]uint32, from *[lanes]*byte, at *[lanes]int, n int)", k.name)
	w.Line("%s", k.doc)
	w.Line("//")
	w.Line("// DI state, SI from, BX at, CX blocks to go, DX octets done, R8 sines, AX scratch.")
	w.Line("TEXT ·%s(SB), %s, $%d-%d", k.name, k.flags, k.frame, kernelArguments)
	w.Op("MOVQ", "state+0(FP)", "DI")
	w.Op("MOVQ", "from+8(FP)", "SI")
	w.Op("MOVQ", "at+16(FP)", "BX")
	w.Op("MOVQ", "n+24(FP)", "CX")
	w.Op("LEAQ", "sines<>(SB)", "R8")
	w.Op("XORQ", "DX", "DX")
}

// pointTo leaves in AX where the current block of a lane begins.
func pointTo(w *asm.Writer, lane int) {
	w.Op("MOVQ", asm.Mem(8*lane, "SI"), "AX")
	w.Op("ADDQ", asm.Mem(8*lane, "BX"), "AX")
	w.Op("ADDQ", "DX", "AX")
}
