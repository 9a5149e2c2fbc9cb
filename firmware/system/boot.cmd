# The boot script (U-Boot): which slot, and start it. @NAMES@ are filled in per board.
#
# ab.txt on the boot partition holds slot (a or b), pending (1: slot is on trial) and tries.
# It is rewritten in place, always at the same length, before the kernel starts: a trial that
# never confirms, for whatever reason, finds its tries used up and the other slot returns.
setenv slot a
setenv pending 0
setenv tries 0
setenv scratch @SCRATCH@
if load ${devtype} ${devnum}:1 ${scratch} ab.txt; then
    env import -t ${scratch} ${filesize} pending slot tries
fi
if test "${slot}" != "b"; then setenv slot a; fi
if test "${pending}" = "1"; then
    if test "${tries}" = "0"; then
        setenv tries 1
    else
        echo "slot ${slot} did not confirm: back to the other one"
        if test "${slot}" = "a"; then setenv slot b; else setenv slot a; fi
        setenv pending 0
        setenv tries 0
    fi
    env export -t ${scratch} pending slot tries
    fatwrite ${devtype} ${devnum}:1 ${scratch} ab.txt 19
fi

# Further words of the owner's for the kernel.
setenv args
if test -e ${devtype} ${devnum}:1 kernel.txt; then
    load ${devtype} ${devnum}:1 ${scratch} kernel.txt
    env import -t ${scratch} ${filesize} args
fi

# A slot without a kernel that loads gives way to the other one, for this start.
for round in 1 2; do
    if test "${slot}" = "a"; then setenv part 2; else setenv part 3; fi
    setenv bootargs "@BOOTARGS@ panic=10 quiet pulseboard.board=@BOARD@ pulseboard.slot=${slot} ${args}"
    # One slot for boards that are much alike: the boot loader may know which this is.
    setenv dtb "@DTB@"
    if test -n "${fdtfile}" && test -e ${devtype} ${devnum}:${part} "${fdtfile}"; then
        setenv dtb "${fdtfile}"
    fi
    if load ${devtype} ${devnum}:${part} @KERNEL_ADDR@ vmlinuz; then
        @LOAD_FDT@
        if load ${devtype} ${devnum}:${part} @RAMDISK_ADDR@ initrd.img; then
            @BOOT@ @KERNEL_ADDR@ @RAMDISK_ADDR@:${filesize} @FDT_ADDR@
        fi
    fi
    echo "slot ${slot} does not start"
    if test "${slot}" = "a"; then setenv slot b; else setenv slot a; fi
done
reset
