// Command toy says hello, and what a package manager wants of it.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

var version string

func main() {
	args := append(os.Args[1:], "", "")
	switch args[0] {
	case "completion":
		fmt.Println("complete toy")
	case "manual":
		if err := os.WriteFile(filepath.Join(args[1], "toy.1"), []byte(".TH TOY 1\n"), 0o644); err != nil {
			panic(err)
		}
	default:
		fmt.Println("hello from", version)
	}
}
