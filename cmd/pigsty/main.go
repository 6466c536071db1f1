// Command pigsty turns bare Debian machines into a PostgreSQL platform from one YAML file.
package main

import (
	"os"

	"pigsty/internal/cli"
)

func main() { os.Exit(cli.Main(cli.Arguments(os.Args), os.Stdin, os.Stdout, os.Stderr)) }
