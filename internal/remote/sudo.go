package remote

import (
	"bytes"
	"io"
)

// sudoPrompt is what sudo is told to ask with. It writes it to its error stream each time it
// wants to read the password from its input, and not at all where it needs none.
const sudoPrompt = "PIGSTY-SUDO-PASSWORD"

// prompter is the error stream of a launching script: it answers sudo's question once. The
// script's own input begins only after its mark, so the two never mix.
type prompter struct {
	tail
	password string
	answer   io.WriteCloser

	unread []byte // the end of the stream, in which a prompt may have begun
	asked  int
}

// Write keeps what is said, and answers what is asked. A second question means that the answer
// was wrong; then sudo's input ends, so that it does not wait for another.
func (p *prompter) Write(text []byte) (int, error) {
	p.unread = append(p.unread, text...)
	for {
		before, after, found := bytes.Cut(p.unread, []byte(sudoPrompt))
		if !found || p.password == "" {
			break
		}
		p.keep(string(before))
		p.unread = after
		if p.asked++; p.asked == 1 {
			// A script that has ended meanwhile needs no answer.
			_, _ = io.WriteString(p.answer, p.password+"\n")
		} else {
			_ = p.answer.Close()
		}
	}
	if done := len(p.unread) - len(sudoPrompt); done > 0 {
		p.keep(string(p.unread[:done]))
		p.unread = p.unread[done:]
	}
	return len(text), nil
}

// String is what was said, without the questions, on one line.
func (p *prompter) String() string {
	all := tail{data: append(bytes.Clone(p.data), p.unread...)}
	return all.String()
}

func (p *prompter) refused() bool { return p.asked > 1 }
