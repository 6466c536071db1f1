# Managed by pigsty. Read by interactive and by plain sh login shells: keep it portable.
export HISTTIMEFORMAT='%F %T '
export HISTSIZE=10000
export LESS=-R

alias ll='ls -lh'
alias la='ls -lha'
alias h='history'
