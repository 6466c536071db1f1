package simulate

import "errors"

const (
	modulesFile = "/proc/modules"
	swapsFile   = "/proc/swaps"
)

// modprobe enters the modules into the kernel's list.
func (e *Executor) modprobe(args []string) error {
	words, _ := options(args)
	text, err := e.node.read(modulesFile)
	if err != nil {
		return err
	}
	for _, name := range words {
		text += name + " 16384 0 - Live 0x0\n"
	}
	return e.node.write(modulesFile, text)
}

// swapoff empties the kernel's list.
func (e *Executor) swapoff([]string) error { return e.node.write(swapsFile, furnished[swapsFile]) }

// ip finds no address to delete: simulated nodes have none.
func (e *Executor) ip([]string) error {
	return errors.New("RTNETLINK answers: Cannot assign requested address")
}
