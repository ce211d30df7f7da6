// Package generate ends a generator.
package generate

import (
	"bytes"
	"flag"
	"log"
	"os"

	"github.com/mmcloughlin/avo/build"
)

// As writes the files that the flags -out and -stubs name, both of them required. Their first lines name the command of
// engine/lanes/generate.go that runs the generator in directory ./name of this module: avo itself writes a "go run
// main.go" there, which would not run.
func As(name string) {
	build.Generate()
	for _, file := range []string{"out", "stubs"} {
		path := flag.Lookup(file).Value.String()
		text, err := os.ReadFile(path)
		if err != nil {
			log.Fatal(err)
		}
		before, after := []byte(" go run main.go "), []byte(" go run -C _asm ./"+name+" ")
		head, rest, _ := bytes.Cut(text, []byte("\n"))
		if !bytes.Contains(head, before) {
			log.Fatalf("%s begins with %q, want %q in it", path, head, before)
		}
		text = bytes.Join([][]byte{bytes.Replace(head, before, after, 1), rest}, []byte("\n"))
		if err := os.WriteFile(path, text, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}
