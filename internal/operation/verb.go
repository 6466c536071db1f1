// Package operation says what a verb is: something that people do to what runs, beside making it
// what the inventory says. A module keeps its verbs with itself, each whole in one file; the
// commands follow from them.
package operation

import (
	"strings"

	"github.com/spf13/pflag"

	"pigsty/internal/model"
	"pigsty/internal/resource"
)

// Verb is one thing to do to a cluster or to an instance, as people name it and as steps.
type Verb struct {
	// Parent is the command that has the verb, such as "pg".
	Parent string
	// Usage is the command line after the parent: the verb's name, and what it is done to, which
	// comes first of its arguments, such as "switchover CLUSTER".
	Usage string
	// Short is one line, Long the page, Example lines to copy: what help and docs/commands show.
	Short, Long, Example string
	// Destroys says that data are lost or set aside, so that the name of what it is done to has
	// to be typed.
	Destroys bool
	// Next is what is left to do by hand once it is done, for people; empty when nothing is.
	Next string
	// Prepare declares the verb's own flags and returns what lists its steps once they are read.
	Prepare func(*pflag.FlagSet) Compile
}

// Compile turns a command line's arguments into the steps; its error is about the arguments.
type Compile func(args []string) (Steps, error)

// Name is the verb alone, such as "switchover".
func (v Verb) Name() string {
	name, _, _ := strings.Cut(v.Usage, " ")
	return name
}

// Steps lists what is done. It is called when the nodes of the cluster that was named, or that the
// instance named belongs to, have been asked, so it knows who leads; its error refuses the verb.
type Steps func(d *model.Deployment, c *model.PgCluster) ([]resource.Step, error)

// Plain is Prepare of a verb without flags of its own: its steps follow from the name of what it
// is done to.
func Plain(steps func(name string) Steps) func(*pflag.FlagSet) Compile {
	return func(*pflag.FlagSet) Compile {
		return func(args []string) (Steps, error) { return steps(args[0]), nil }
	}
}
