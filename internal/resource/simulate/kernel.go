package simulate

import "fmt"

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

// tunedAdm knows "profile NAME".
func (e *Executor) tunedAdm(args []string) error {
	if len(args) != 2 || args[0] != "profile" {
		return fmt.Errorf("simulated tuned-adm does not understand %q", args)
	}
	return e.node.write("/etc/tuned/active_profile", args[1]+"\n")
}
