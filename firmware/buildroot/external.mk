include $(sort $(wildcard $(BR2_EXTERNAL_PULSEBOARD_PATH)/package/*/*.mk))
