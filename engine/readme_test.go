package engine_test

import (
	"os"
	"strings"
	"testing"
)

// The README's program is the compiled Example, but for its frame.
func TestREADMEShowsTheExample(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, shown, _ := strings.Cut(string(readme), "```go\n")
	shown, _, found := strings.Cut(shown, "```")
	if !found {
		t.Fatal("README.md shows no program")
	}
	frame := strings.NewReplacer("package engine_test", "package main", "func Example()", "func main()",
		"\t// Output: my-app 1 1 412\n", "", "block.Usage.CPUms)\n", "block.Usage.CPUms) // my-app 1 1 412\n")
	if want := frame.Replace(string(example)); shown != want {
		t.Errorf("README.md shows\n%s\nwant\n%s", shown, want)
	}
}
