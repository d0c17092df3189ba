// SPDX-License-Identifier: Apache-2.0
// What the forms call each option, and its choices. What an option does, its default and its bounds come with
// weir.options; the harness holds that every option and choice of those has its words here, and none besides.
'use strict';
'require baseclass';

const WAYS = {
	'none': _('Neither direction'),
	'up': _('Upload only'),
	'down': _('Download only'),
	'both': _('Both directions')
};

const WAY = {
	'both': _('Both directions'),
	'up': _('Upload only'),
	'down': _('Download only')
};

const AUTO_OR_BOOL = {
	'auto': _('Automatic'),
	'1': _('Yes'),
	'0': _('No')
};

return baseclass.extend({
	titles: {
		globals: {
			enabled: _('Enable weir'),
			log_level: _('Log level'),
			services: _('Built-in services'),
			levels: _('Watch the classes'),
			keep_history: _('Keep histories')
		},
		wan: {
			enabled: _('Enable'),
			network: _('Network'),
			device: _('Device'),
			download: _('Download speed'),
			upload: _('Upload speed'),
			adapt: _('Follow the line'),
			download_min: _('Least download'),
			download_max: _('Most download'),
			upload_min: _('Least upload'),
			upload_max: _('Most upload'),
			latency_target: _('Wait allowed'),
			reflector: _('Reflectors'),
			probe: _('How they are asked'),
			download_on: _('Shape downloads'),
			lan: _('LAN device'),
			link: _('Kind of line'),
			overhead: _('Overhead'),
			mpu: _('Least packet size'),
			cells: _('Cells'),
			engine: _('Queues'),
			takeover: _('Take over'),
			ecn: _('Mark instead of drop (ECN)'),
			offloads: _('Super-packets'),
			trust_dscp: _('Trust DSCP'),
			wash: _('Clear DSCP'),
			nat: _('NAT for IPv4'),
			cake_diffserv: _('Tins'),
			cake_nat: _('Look behind NAT'),
			cake_isolation: _('Fair to'),
			cake_ack_filter: _('ACK filter'),
			cake_split_gso: _('Split super-packets'),
			cake_rtt: _('Round trip'),
			cake_memlimit: _('Queue memory'),
			cake_ingress: _('Count drops (ingress)'),
			cake_fwmark: _('Firewall mark')
		},
		'class': {
			enabled: _('On'),
			guarantee: _('Guarantee'),
			limit: _('Limit'),
			priority: _('Priority'),
			target: _('Delay'),
			'default': _('Default'),
			set_dscp_up: _('DSCP up'),
			set_dscp_down: _('DSCP down'),
			cake_tin: _('CAKE tin')
		},
		rule: {
			enabled: _('Enable'),
			name: _('Name'),
			'class': _('Class'),
			priority: _('Priority'),
			direction: _('Direction'),
			proto: _('Protocols'),
			remote_port: _('Far ports'),
			local_port: _('Near ports'),
			remote: _('Far addresses'),
			local: _('Near addresses'),
			dscp: _('DSCP'),
			length: _('Packet size'),
			service: _('Services'),
			set_dscp: _('Set DSCP')
		},
		schedule: {
			enabled: _('Enable'),
			days: _('Days'),
			from: _('From'),
			to: _('To'),
			wan: _('Line'),
			download: _('Download speed'),
			upload: _('Upload speed'),
			'class': _('Class'),
			guarantee: _('Guarantee'),
			limit: _('Limit'),
			rule: _('Rules')
		},
		threshold: {
			enabled: _('Enable'),
			wan: _('Line'),
			direction: _('Direction'),
			'class': _('Class'),
			metric: _('What is measured'),
			operator: _('Wrong when'),
			value: _('Value'),
			'for': _('For'),
			severity: _('Severity'),
			action: _('Action'),
			action_class: _('Class acted on'),
			action_share: _('Share'),
			action_rate: _('Speed'),
			action_time: _('For at most'),
			penalty: _('Longer each time')
		}
	},

	choices: {
		globals: {
			log_level: {
				'error': _('Errors'),
				'warning': _('Warnings'),
				'info': _('Information'),
				'debug': _('Everything')
			}
		},
		wan: {
			adapt: {
				'auto': _('Automatic: where no speed or bound says otherwise'),
				'1': _('Yes, the speeds are the most it is given'),
				'0': _('No, keep the speeds')
			},
			probe: {
				'auto': _('Automatic'),
				'icmp': _('Ping (ICMP)'),
				'tcp': _('TCP connections'),
				'dns': _('DNS questions'),
				'none': _('Ask nobody')
			},
			download_on: {
				'ifb': _('On the line (IFB)'),
				'lan': _('On the LAN device'),
				'none': _('Not at all')
			},
			cells: {
				'none': _('No cells'),
				'atm': _('ATM, 48/53 (ADSL)'),
				'ptm': _('PTM, 64/65 (VDSL2)')
			},
			engine: {
				'auto': _('Automatic: what the kernel has'),
				'htb': _('HTB with fq_codel'),
				'cake': _('CAKE')
			},
			offloads: {
				'auto': _('Off while HTB shapes at up to 100 Mbit/s'),
				'off': _('Always off'),
				'keep': _('Never touched')
			},
			trust_dscp: WAYS,
			wash: WAYS,
			cake_diffserv: {
				'besteffort': _('One tin (besteffort)'),
				'precedence': _('Eight by precedence (precedence)'),
				'diffserv3': _('Three tins (diffserv3)'),
				'diffserv4': _('Four tins (diffserv4)'),
				'diffserv8': _('Eight tins (diffserv8)')
			},
			cake_isolation: {
				'auto': _('Automatic'),
				'flowblind': _('Nobody (flowblind)'),
				'srchost': _('Senders (srchost)'),
				'dsthost': _('Receivers (dsthost)'),
				'hosts': _('Pairs of hosts (hosts)'),
				'flows': _('Flows (flows)'),
				'dual-srchost': _('Senders, then flows (dual-srchost)'),
				'dual-dsthost': _('Receivers, then flows (dual-dsthost)'),
				'triple-isolate': _('Both ends, then flows (triple-isolate)')
			},
			cake_ack_filter: {
				'off': _('Off'),
				'filter': _('On'),
				'aggressive': _('Aggressive')
			},
			cake_split_gso: AUTO_OR_BOOL,
			cake_ingress: AUTO_OR_BOOL
		},
		'class': {
			cake_tin: {
				'auto': _('Automatic'),
				'bulk': 'Bulk',
				'besteffort': 'Best Effort',
				'video': 'Video',
				'voice': 'Voice'
			}
		},
		rule: {
			direction: WAY
		},
		threshold: {
			direction: WAY,
			metric: {
				'latency': _('Delay'),
				'loss': _('Loss'),
				'share': _('Share of the line'),
				'utilisation': _('Use of the line'),
				'drops': _('Dropped packets'),
				'marks': _('Marked packets'),
				'throughput': _('Throughput'),
				'capacity': _('What the line carries')
			},
			operator: {
				'>': _('Above the value'),
				'<': _('Below the value'),
				'>=': _('At the value or above'),
				'<=': _('At the value or below'),
				'==': _('Exactly the value')
			},
			severity: {
				'info': _('Information'),
				'warning': _('Warning'),
				'error': _('Error')
			},
			action: {
				'notify': _('Only tell'),
				'throttle': _('Throttle a class'),
				'protect': _('Protect a class'),
				'cap': _('Cap the direction'),
				'block': _('Block a class')
			}
		}
	},

	days: {
		'mon': _('Mon'),
		'tue': _('Tue'),
		'wed': _('Wed'),
		'thu': _('Thu'),
		'fri': _('Fri'),
		'sat': _('Sat'),
		'sun': _('Sun')
	},

	/* What a choice is called; a word nobody knows is itself. */
	choice(section, option, word) {
		return this.choices[section]?.[option]?.[word] || word;
	}
});
