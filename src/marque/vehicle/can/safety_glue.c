/* opendbc's safety model as a library: its headers, a clock that the simulation sets, and a few
 * windows into its state. Nothing here decides anything. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static uint32_t now_us = 0U;
uint32_t microsecond_timer_get(void);
uint32_t microsecond_timer_get(void) { return now_us; }

#include "opendbc/safety/can.h"
#include "opendbc/safety/safety.h"

static CANPacket_t packet_of(uint32_t address, int bus, const uint8_t *data, int length_code) {
  CANPacket_t packet = {0};
  packet.extended = (address >= 0x800U) ? 1U : 0U;
  packet.addr = address;
  packet.bus = (unsigned char)bus;
  packet.data_len_code = (unsigned char)length_code;
  for (int i = 0; i < (int)GET_LEN(&packet); i++) {
    packet.data[i] = data[i];
  }
  return packet;
}

int marque_begin(uint16_t mode, uint16_t param, int alternative) {
  now_us = 0U;
  alternative_experience = alternative;
  return set_safety_hooks(mode, param);
}

void marque_time(uint32_t us) { now_us = us; }
void marque_second(void) { safety_tick(&current_safety_config); }

bool marque_heard(uint32_t address, int bus, const uint8_t *data, int length_code) {
  CANPacket_t packet = packet_of(address, bus, data, length_code);
  return safety_rx_hook(&packet);
}

bool marque_may_send(uint32_t address, int bus, const uint8_t *data, int length_code) {
  CANPacket_t packet = packet_of(address, bus, data, length_code);
  return safety_tx_hook(&packet);
}

bool marque_allowed(void) { return controls_allowed; }
bool marque_relay_malfunction(void) { return relay_malfunction; }
bool marque_checks_fail(void) { return safety_rx_checks_invalid; }

int marque_check_count(void) { return current_safety_config.rx_checks_len; }

/* alternative `j` of check `i`; frequency 0 where there is none */
int marque_check(int i, int j, int *bus, int *length) {
  if ((i < 0) || (i >= current_safety_config.rx_checks_len) || (j < 0) || (j >= MAX_ADDR_CHECK_MSGS)) {
    return 0;
  }
  const CanMsgCheck *check = &current_safety_config.rx_checks[i].msg[j];
  *bus = check->bus;
  *length = check->len;
  return check->addr;
}

/* whether it verifies the checksum of message `i`, as it came */
bool marque_check_sums(int i) {
  const RxCheck *check = &current_safety_config.rx_checks[i];
  return (current_hooks->get_checksum != NULL) && (current_hooks->compute_checksum != NULL) &&
         !check->msg[check->status.index].ignore_checksum;
}

int marque_check_valid(int i) {
  const RxStatus *status = &current_safety_config.rx_checks[i].status;
  return (status->msg_seen ? 1 : 0) | (status->valid_checksum ? 2 : 0) |
         ((status->wrong_counters < MAX_WRONG_COUNTERS) ? 4 : 0) | (status->valid_quality_flag ? 8 : 0) |
         (status->lagging ? 0 : 16);
}
