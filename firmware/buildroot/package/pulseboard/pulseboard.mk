################################################################################
#
# pulseboard
#
################################################################################

PULSEBOARD_VERSION = local
PULSEBOARD_SITE = $(realpath $(BR2_EXTERNAL_PULSEBOARD_PATH)/../..)
PULSEBOARD_SITE_METHOD = local
PULSEBOARD_OVERRIDE_SRCDIR_RSYNC_EXCLUSIONS = --exclude build --exclude tests
# What the program is linked with, itself included; all of it is inside the one file.
PULSEBOARD_LICENSE = MIT, Apache-2.0 (mbedTLS)
PULSEBOARD_LICENSE_FILES = LICENSE
# toolchain/setup brought these.
PULSEBOARD_CONF_OPTS = \
	-DBUILD_TESTING=OFF \
	-DCMAKE_BUILD_TYPE=Release \
	-DPULSEBOARD_DEPS_DIR=$(PULSEBOARD_SITE)/build/deps/src

define PULSEBOARD_INSTALL_CONFIG
	$(INSTALL) -D -m 0644 $(PULSEBOARD_SITE)/firmware/debian/pulseboard.json \
		$(TARGET_DIR)/etc/pulseboard/pulseboard.json
endef
PULSEBOARD_POST_INSTALL_TARGET_HOOKS += PULSEBOARD_INSTALL_CONFIG

define PULSEBOARD_INSTALL_INIT_SYSV
	$(INSTALL) -D -m 0755 $(BR2_EXTERNAL_PULSEBOARD_PATH)/package/pulseboard/S80pulseboard \
		$(TARGET_DIR)/etc/init.d/S80pulseboard
endef

define PULSEBOARD_INSTALL_INIT_SYSTEMD
	$(INSTALL) -D -m 0644 $(PULSEBOARD_SITE)/firmware/debian/pulseboard.service \
		$(TARGET_DIR)/usr/lib/systemd/system/pulseboard.service
endef

define PULSEBOARD_USERS
	pulseboard -1 pulseboard -1 * /var/lib/pulseboard - - Pulseboard
endef

$(eval $(cmake-package))
