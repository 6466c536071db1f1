package fact

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// patroniPatience is how long one question to Patroni may take. It answers from memory, and a
// node that is down must not hold up a plan.
const patroniPatience = 500 * time.Millisecond

// askPatroni asks the member on this node about itself and its cluster. The address is the
// loopback one, so there is nobody to be deceived by and the certificate is not verified; the
// API speaks plain HTTP where TLS is off.
func askPatroni(ctx context.Context, port int) *Patroni {
	client := &http.Client{
		Timeout:   patroniPatience,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true},
	}
	for _, scheme := range []string{"https", "http"} {
		base := fmt.Sprintf("%s://127.0.0.1:%d", scheme, port)
		var member struct {
			Role     string `json:"role"`
			State    string `json:"state"`
			Timeline int    `json:"timeline"`
		}
		if getJSON(ctx, client, base+"/patroni", &member) != nil || member.State == "" {
			continue
		}
		return &Patroni{
			Role:     primaryName(member.Role),
			State:    member.State,
			Timeline: member.Timeline,
			Leader:   leader(ctx, client, base),
		}
	}
	return nil
}

// primaryName gives the role its present name: before version 4, Patroni said "master".
func primaryName(role string) string {
	if role == "master" {
		return "primary"
	}
	return role
}

// leader is the name of the member that leads the cluster; empty when none does.
func leader(ctx context.Context, client *http.Client, base string) string {
	var cluster struct {
		Members []struct {
			Name string `json:"name"`
			Role string `json:"role"`
		} `json:"members"`
	}
	if getJSON(ctx, client, base+"/cluster", &cluster) != nil {
		return ""
	}
	for _, m := range cluster.Members {
		if m.Role == "leader" || m.Role == "standby_leader" {
			return m.Name
		}
	}
	return ""
}

// getJSON decodes the answer whatever its status code: a replica or stopped member answers 503
// and still tells its state.
func getJSON(ctx context.Context, client *http.Client, url string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return json.NewDecoder(response.Body).Decode(into)
}
