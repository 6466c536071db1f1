// Command scale measures how planning grows with the number of nodes. All nodes are simulated
// in this process, so its figures hold the controller and every agent together. See
// bench/README.md.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

func main() {
	sizes := flag.String("nodes", "10,100,300,1000", "numbers of nodes, with commas between them")
	one := flag.Int("one", 0, "measure one number of nodes and print the figures as JSON")
	profile := flag.String("cpuprofile", "", "with -one, write a CPU profile of all phases to this file")
	heap := flag.String("memprofile", "", "with -one, write a profile of what was allocated to this file")
	flag.Parse()
	if err := run(*sizes, *one, *profile, *heap); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

func run(sizes string, one int, profile, heap string) error {
	if one > 0 {
		r, err := profiled(one, profile, heap)
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(r)
	}
	var results []result
	for size := range strings.SplitSeq(sizes, ",") {
		n, err := strconv.Atoi(size)
		if err != nil {
			return err
		}
		r, err := apart(n)
		if err != nil {
			return err
		}
		results = append(results, r)
	}
	report(os.Stdout, results)
	return nil
}

// apart measures in a process of its own, whose peak of memory is then that size's.
func apart(n int) (result, error) {
	self, err := os.Executable()
	if err != nil {
		return result{}, err
	}
	cmd := exec.CommandContext(context.Background(), self, "-one", strconv.Itoa(n))
	cmd.Stderr = os.Stderr
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil {
		return result{}, fmt.Errorf("measure %d nodes: %w", n, err)
	}
	var r result
	return r, json.Unmarshal(out.Bytes(), &r)
}
