package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"pigsty/internal/sandbox"
)

func newSandboxSSHCommand(o *sandboxOptions) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ssh [USER@]NODE [COMMAND...]",
		Short: "Open a shell on a node, or run a command there, with the system's ssh",
		Example: `  pigsty sandbox ssh meta
  pigsty sandbox ssh debian@node-1 'systemctl --failed; df -h'`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: o.completeNodes,
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := o.open()
			if err != nil {
				return err
			}
			ssh, err := exec.LookPath("ssh")
			if err != nil {
				return fmt.Errorf("find ssh: %w; install openssh-client", err)
			}
			argv := append([]string{"ssh", "-F", s.SSHConfigPath()}, args...)
			return fmt.Errorf("run %s: %w", ssh, syscall.Exec(ssh, argv, os.Environ()))
		},
	}
	cmd.Flags().SetInterspersed(false)
	return cmd
}

func newSandboxExecCommand(o *sandboxOptions) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "exec ([USER@]NODE | --all) -- COMMAND [ARGUMENT...]",
		Short: "Run a command on a node or on all of them",
		Long: `Run a command on a node, with standard input, or with --all on every node at the
same time, each line of output after the node's name. The arguments arrive as they
are given; for a pipe or a variable say: sh -c '...'. Ends with the command's exit
code, with --all the highest one.`,
		Example: `  pigsty sandbox exec node-1 -- systemctl is-system-running
  pigsty sandbox exec --all -- sh -c 'cat /etc/debian_version'`,
		ValidArgsFunction: o.completeNodes,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := o.open()
			if err != nil {
				return err
			}
			if all && len(args) > 0 {
				return o.execAll(cmd, s, args)
			}
			if all || len(args) < 2 {
				return errors.New("name a node, or --all, and a command")
			}
			c, err := s.Command(cmd.Context(), args[0], args[1:]...)
			if err != nil {
				return err
			}
			c.Stdin, c.Stdout, c.Stderr = o.in, o.out, o.err
			return exitStatus(c.Run())
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "on every node")
	return cmd
}

// execAll runs a command on every node and prints whole lines, so that two nodes do not mix.
func (o *sandboxOptions) execAll(cmd *cobra.Command, s *sandbox.Sandbox, argv []string) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	worst := error(nil)
	for _, n := range s.Nodes() {
		wg.Go(func() {
			c, err := s.Command(cmd.Context(), n.Name, argv...)
			if err == nil {
				r, w := io.Pipe()
				c.Stdout, c.Stderr = w, w
				copied := make(chan struct{})
				go func() {
					defer close(copied)
					for lines, end := bufio.NewReader(r), error(nil); end == nil; {
						var line string
						if line, end = lines.ReadString('\n'); line != "" {
							mu.Lock()
							fmt.Fprintf(o.out, "%s: %s\n", n.Name, strings.TrimRight(line, "\r\n"))
							mu.Unlock()
						}
					}
				}()
				err = exitStatus(c.Run())
				w.Close()
				<-copied
			}
			mu.Lock()
			defer mu.Unlock()
			if exitCode(err) > exitCode(worst) {
				worst = err
			}
		})
	}
	wg.Wait()
	return worst
}

// exitStatus makes this command end as the one it ran, which has said what was wrong itself.
func exitStatus(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return &exitError{code: exit.ExitCode()}
	}
	return err
}

func exitCode(err error) int {
	var exit *exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.code
	}
	return exitFailed
}
