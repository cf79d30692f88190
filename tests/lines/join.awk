# SPDX-License-Identifier: MIT
# Joins tcpdump's output to one line a packet, without its hexadecimal dumps of unknown data.
function print_line() { if (n++) { sub(/:? *$/, "", line); print line } }
/^\t0x/ { next }
/^(    |\t)/ { sub(/^[ \t]+/, ""); sub(/ +$/, "", line); line = line " " $0; next }
# tcpdump prints the packet inside VXLAN on a line of its own.
line ~ /: VXLAN, flags [^,]*, vni [0-9]+$/ || (line ~ /VXLAN, flags .*vni [0-9]+$/) { line = line " " $0; next }
{ print_line(); line = $0 }
END { print_line() }
