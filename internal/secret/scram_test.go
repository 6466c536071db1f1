package secret

import (
	"encoding/base64"
	"strings"
	"testing"
)

// What PostgreSQL 15 kept in pg_authid for these passwords.
var verifiers = []struct{ why, password, verifier string }{
	{"plain", "DBUser.Monitor", "SCRAM-SHA-256$4096:b8GQMSst7r4mvArbWQVTlw==$/eS8e6bTmEN+ckbTWyxXsLIMi4nbbtftKCHGvbEiSUM=:xU1fsGG491raeTT0IHAUW42He6K+E3DO56PEqCetfJE="},
	{"normalized", "pencil IX Ⅸª\u00a0x", "SCRAM-SHA-256$4096:MdG/T/HHVvcPR3zeaArd2g==$yrxRpg2msAMhr/yfzOjAfZs3XaXT9857QDbZ+7bEtYc=:Dll6lNJH7hLI8R0SE1cMsgcsVQz0SmTium+QUg6Jpp0="},
	{"soft hyphen dropped", "I\u00adX", "SCRAM-SHA-256$4096:4fe96JoYPkEGpd0NkZz3Ng==$N8FOT6NpRCXwuCcVidGMECqaingK+1RRiBKQjvVFKCs=:CPwoU0rlZozvbQ1ilaerfc9e+G8Qj6I8xIk9m6ejy0o="},
	{"zero-width space", "a\u200bb", "SCRAM-SHA-256$4096:wK7PbOuLCFaeIe9WL4fvpg==$EIkdGtl0eWr/Gjl3hVO8QkGz3aw6TW+pZ/wzDf11+a4=:DsscCVhbD3rcKN7ti0Ck1EMpKHecILdWdVqtVzGmo1w="},
	{"control in ASCII", "a\tb", "SCRAM-SHA-256$4096:dNnDI48b7S0kVQ52lA+CYw==$d7aX/EtELlo8JhQdb8w93wvZP+Ixe3DUwyz1cl1/RKs=:CupMVDNLIggdjoaEQLtTicDQFMJIsdRBgKgO46azhVs="},
	{"control beyond ASCII", "tab\aé", "SCRAM-SHA-256$4096:lCYhYv4AQJhLwdlDllDXqg==$7XuCG0x3jnS4x8aiCzyzO/elBh0VIfBVBFRSZAxPBWE=:FAdDMVjV03iSvMmEnMbOY0QSENRWcOwo9LRwy4cAFys="},
	{"unassigned in Unicode 3.2", "😀Ⅸ", "SCRAM-SHA-256$4096:slmTvTjULvjKqUQG+3TmxA==$V/0sLW9qw3xdtnD510SBvV5X+nOTpWCwYOAyyrEDmTI=:Uk67X8/8zHPGpRlOJxrNS9eDQntxOtUV2/0ZnCKsBwM="},
	{"mixed directions", "\u0627\u0031", "SCRAM-SHA-256$4096:jpiijIWRGkh+HJq1+oZITA==$SAnKGD7Bk10mPHu3Pn+RzOIDi6eK4EPFL+LvNLBxNrY=:WMSGkcIfsipioErrq4wDu5YJZ7wyYbhveIWobigsMeQ="},
	{"md5 in upper case is a password", "md5" + strings.Repeat("A", 32), "SCRAM-SHA-256$4096:BG6IXehzRJ4eiOCu/m7hkQ==$E/WLURHXmnH1roXvBDvR4JhRz6pZCHw1hCFqa2qYcqk=:ZC9atf9Z6SjS/VawOdlTOmyhzGKhyQgW0C9JZ/EZwvY="},
}

func TestScramVerifierIsPostgreSQLs(t *testing.T) {
	for _, v := range verifiers {
		t.Run(v.why, func(t *testing.T) {
			_, rest, _ := strings.Cut(v.verifier, ":")
			encoded, _, _ := strings.Cut(rest, "$")
			salt, err := base64.StdEncoding.DecodeString(encoded)
			if err != nil {
				t.Fatal(err)
			}
			if got := ScramVerifier(v.password, salt); got != v.verifier {
				t.Errorf("got  %s\nwant %s", got, v.verifier)
			}
			if got := ScramVerifier(v.verifier, []byte("another salt, 16")); got != v.verifier {
				t.Errorf("a stored verifier became %s", got)
			}
		})
	}
}

func TestScramVerifierKeepsMD5(t *testing.T) {
	stored := "md5" + strings.Repeat("0a", 16)
	if got := ScramVerifier(stored, nil); got != stored {
		t.Errorf("became %s", got)
	}
	for _, plain := range []string{"md5", stored + "0", "SCRAM-SHA-256$4096:half", "SCRAM-SHA-256$"} {
		if got := ScramVerifier(plain, []byte("salt")); got == plain {
			t.Errorf("the plain password %q was taken for a stored one", plain)
		}
	}
}
