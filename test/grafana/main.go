// Command grafana stands in for Grafana on the nodes of tests, as no package source here has the real
// one: it reads what Grafana reads of its configuration, under Grafana's user, serves as that says, and
// tells which of the files that it names can be read. It shows no dashboards.
package main

import (
	"encoding/json"
	"flag"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// settings are the values of Grafana's configuration file, by section and key.
type settings map[string]string

func readSettings(path string) (settings, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	all, section := settings{}, ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "["):
			section = strings.Trim(line, "[]")
		case line != "" && line[0] != '#' && line[0] != ';':
			key, value, _ := strings.Cut(line, "=")
			all[section+"."+strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	return all, nil
}

// fileReference is how Grafana's settings name a file that holds a value.
var fileReference = regexp.MustCompile(`\$__file\{([^}]*)\}`)

// source is a data source as provisioned, and the files that it needs and cannot read.
type source struct {
	Name, Type, URL string
	Unread          []string
}

// sources reads what is provisioned.
func sources(folder string) ([]source, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "datasources", "*.yml"))
	if err != nil {
		return nil, err
	}
	all := []source{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		var file struct {
			Datasources []struct {
				Name           string
				Type           string
				URL            string            `yaml:"url"`
				SecureJSONData map[string]string `yaml:"secureJsonData"`
			}
		}
		if err := yaml.Unmarshal(text, &file); err != nil {
			return nil, err
		}
		for _, d := range file.Datasources {
			s := source{Name: d.Name, Type: d.Type, URL: d.URL}
			for _, value := range d.SecureJSONData {
				if _, err := expand(value); err != nil {
					s.Unread = append(s.Unread, err.Error())
				}
			}
			all = append(all, s)
		}
	}
	return all, nil
}

// expand gives a value that may be a reference to a file.
func expand(value string) (string, error) {
	m := fileReference.FindStringSubmatch(value)
	if m == nil {
		return value, nil
	}
	text, err := os.ReadFile(m[1])
	return strings.TrimSpace(string(text)), err
}

func main() {
	config := flag.String("config", "/etc/grafana/grafana.ini", "configuration file")
	provisioning := flag.String("provisioning", "/etc/grafana/provisioning", "folder of what is provisioned")
	flag.Parse()
	s, err := readSettings(*config)
	if err != nil {
		log.Fatal(err)
	}
	if password, err := expand(s["security.admin_password"]); err != nil || password == "" {
		log.Fatalf("the administrator's password: %v", err)
	}
	http.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("grafana_build_info 1\n"))
	})
	http.HandleFunc("/api/datasources", func(w http.ResponseWriter, _ *http.Request) {
		all, err := sources(*provisioning)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(w).Encode(all)
	})
	server := &http.Server{Addr: ":" + s["server.http_port"], ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServeTLS(s["server.cert_file"], s["server.cert_key"]))
}
