// Command pigsty turns bare Debian machines into a PostgreSQL platform from one YAML file.
package main

import (
	"os"

	"pigsty/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
