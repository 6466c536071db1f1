# Runs on a Debian node, with PostgreSQL's major version as its argument. Tells what the server's
# package, and every package that is made for it, brings: description, control files, libraries. One
# line begins with what it is about; those of a control file follow it, indented.
set -eu
v=$1
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get -qq update >&2
packages=$( (
    apt-cache pkgnames "postgresql-$v"
    apt-cache rdepends "postgresql-$v" | sed -n -e 's/^ *|\?\([a-z].*\)/\1/p'
) | grep -v -e '-dbgsym$' -e '^postgresql$' -e '^postgresql-all$' -e '^postgresql-client' | sort -u)
for package in $packages; do
    apt-cache show --no-all-versions "$package" >show 2>/dev/null || continue
    apt-get -qq -o APT::Sandbox::User=root download "$package" >&2
    mkdir tree
    dpkg-deb --fsys-tarfile ./*.deb | tar -x -C tree
    dpkg-deb --ctrl-tarfile ./*.deb | tar -x -C tree
    rm ./*.deb
    echo "package $package"
    sed -n -e '/^Version: /p; /^Depends: /p; s/^Description\(-en\)\?: /Description: /p' show
    for control in tree/usr/share/postgresql/"$v"/extension/*.control; do
        test -e "$control" || continue
        echo "control $(basename "$control" .control)"
        sed -e 's/^/ /' "$control"
        # The last line may lack its end.
        echo
    done
    if test -e tree/postinst; then
        # Control files under names that the package's alternatives give them.
        grep -o '/[a-z_]*\.control ' tree/postinst | sed -e 's|^/|alternative |; s|\.control $||' || true
    fi
    for library in tree/usr/lib/postgresql/"$v"/lib/*.so; do
        test -e "$library" || continue
        mentions=
        if grep -q -a -F shared_preload_libraries "$library"; then mentions=shared_preload_libraries; fi
        echo "library $(basename "$library" .so) $mentions"
    done
    rm -rf tree show
done
