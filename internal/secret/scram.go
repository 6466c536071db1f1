package secret

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"

	"github.com/xdg-go/scram"
)

// scramIterations is PostgreSQL's default; pgBouncer and every driver accept it.
const scramIterations = 4096

// stored matches passwords in the two forms PostgreSQL keeps them in; it takes anything else for
// a plain password (get_password_type in src/backend/libpq/crypt.c).
var stored = regexp.MustCompile(`^(md5[0-9a-f]{32}|SCRAM-SHA-256\$[0-9]+:[A-Za-z0-9+/]+={0,2}\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=)$`)

// ScramVerifier gives what PostgreSQL keeps of a password under scram-sha-256, so that no server
// ever sees the password. The salt is 16 bytes by PostgreSQL's custom. A password that is given
// in a stored form already stays as it is.
func ScramVerifier(password string, salt []byte) string {
	if stored.MatchString(password) {
		return password
	}
	keys, err := scramClient(password).GetStoredCredentialsWithError(scram.KeyFactors{Salt: string(salt), Iters: scramIterations})
	if err != nil {
		panic(err) // only when Go's FIPS mode refuses the salt's length
	}
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", scramIterations, encode(salt), encode(keys.StoredKey), encode(keys.ServerKey))
}

// scramClient prepares a password as PostgreSQL does: by SASLprep, or not at all when SASLprep
// refuses it (pg_be_scram_build_secret).
func scramClient(password string) *scram.Client {
	// PostgreSQL makes a zero-width space a space, where RFC 3454's tables also allow to drop it,
	// as this library does.
	c, err := scram.SHA256.NewClient("", strings.ReplaceAll(password, "\u200b", " "), "")
	if err == nil {
		return c
	}
	if c, err = scram.SHA256.NewClientUnprepped("", password, ""); err != nil {
		panic(err) // it checks nothing, so there is nothing to fail
	}
	return c
}
