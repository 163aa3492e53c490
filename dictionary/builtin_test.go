package dictionary

import (
	"os"
	"testing"
	"time"
)

func TestTry(t *testing.T) {
	start := time.Now()
	d, err := parseBuiltin(builtinFiles)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(len(d.byName), time.Since(start))
	start = time.Now()
	e, err := d.With("/usr/share/freeradius/dictionary")
	if err != nil {
		t.Fatal(err)
	}
	t.Log(len(e.byName), time.Since(start))
	_ = os.Args
}

func BenchmarkBuiltin(b *testing.B) {
	for b.Loop() {
		_, _ = parseBuiltin(builtinFiles)
	}
}
