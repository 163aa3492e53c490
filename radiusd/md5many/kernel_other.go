//go:build !amd64

package md5many

// kernelFor returns the quickest kernel for so many sums.
func kernelFor(int) kernel { return portable }

// available are the kernels of this CPU.
func available() []kernel { return []kernel{portable} }

// compute fills Out of each sum by this kernel.
func (kernel) compute(sums []Sum) { oneByOne(sums) }
