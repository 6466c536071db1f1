package infra

import (
	"fmt"
	"strings"

	"github.com/GehirnInc/crypt/sha512_crypt"

	"pigsty/internal/resource"
)

// users lists who may use the portal, with hashed passwords as nginx reads them.
func (b *builder) users(notify ...resource.Notification) {
	if len(b.p.NginxUsers) == 0 {
		b.add(&resource.File{Path: nginxUsers, Absent: true}, notify...)
		return
	}
	var text strings.Builder
	for _, u := range b.p.NginxUsers {
		text.WriteString(u.Name + ":" + hash(u.Password, b.d.Derive("nginx", u.Name)) + "\n")
	}
	b.add(&resource.File{Path: nginxUsers, Content: text.String(), Group: "www-data", Mode: 0o640, Secret: true}, notify...)
}

// saltAlphabet is crypt's.
const saltAlphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// hash is crypt's with SHA-512, 5,000 rounds. The salt comes from the deployment's seed, so that a
// second compile gives the same.
func hash(password string, seed []byte) string {
	var salt strings.Builder
	for _, c := range seed[:16] {
		salt.WriteByte(saltAlphabet[int(c)%len(saltAlphabet)])
	}
	text, err := sha512_crypt.New().Generate([]byte(password), []byte("$6$"+salt.String()))
	if err != nil {
		panic(fmt.Sprintf("hash a password: %v", err)) // the salt is ours, and nothing else is refused
	}
	return text
}
