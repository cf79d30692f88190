# SPDX-License-Identifier: MIT
# tcpdump's text as sonde has it: a line a packet, without the dumps of what it does not know.
function out() { if (n++) { sub(/:? *$/, "", line); print line } }
/^\t0x/ { next }
/^(    |\t)/ { sub(/^[ \t]+/, ""); sub(/ +$/, "", line); line = line " " $0; next }
# What is inside VXLAN follows on a line of its own.
line ~ /: VXLAN, flags [^,]*, vni [0-9]+$/ || (line ~ /VXLAN, flags .*vni [0-9]+$/) { line = line " " $0; next }
{ out(); line = $0 }
END { out() }
