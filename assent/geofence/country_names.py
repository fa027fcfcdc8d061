"""Codes and names of countries as metadata writes them, to one ISO 3166-1 code each; a code that is not assigned is no country."""

from __future__ import annotations

import unicodedata

from assent.ids import Jurisdiction

# Code of two letters, code of three, names; the names folded, in English and where it is short in the languages spoken there.
_COUNTRIES = (
    "AD:and|andorra; AE:are|united arab emirates; AF:afg|afghanistan; AG:atg|antigua and barbuda; AI:aia|anguilla; AL:alb|albania; "
    "AM:arm|armenia; AO:ago|angola; AQ:ata|antarctica; AR:arg|argentina; AS:asm|american samoa; AT:aut|austria|osterreich; "
    "AU:aus|australia|australie; AW:abw|aruba; AX:ala|aland islands; AZ:aze|azerbaijan; BA:bih|bosnia and herzegovina; BB:brb|barbados; "
    "BD:bgd|bangladesh; BE:bel|belgium|belgique|belgie; BF:bfa|burkina faso; BG:bgr|bulgaria; BH:bhr|bahrain; BI:bdi|burundi; "
    "BJ:ben|benin; BL:blm|saint barthelemy; BM:bmu|bermuda; BN:brn|brunei; BO:bol|bolivia; BQ:bes|bonaire; BR:bra|brazil|brasil; "
    "BS:bhs|bahamas|the bahamas; BT:btn|bhutan; BV:bvt|bouvet island; BW:bwa|botswana; BY:blr|belarus; BZ:blz|belize; CA:can|canada; "
    "CC:cck|cocos islands; CD:cod|democratic republic of the congo|dr congo; CF:caf|central african republic; CG:cog|congo|republic of "
    "the congo; CH:che|switzerland|schweiz|suisse|svizzera; CI:civ|cote d ivoire|ivory coast; CK:cok|cook islands; CL:chl|chile; "
    "CM:cmr|cameroon; CN:chn|china|chine; CO:col|colombia; CR:cri|costa rica; CU:cub|cuba; CV:cpv|cape verde|cabo verde; "
    "CW:cuw|curacao; CX:cxr|christmas island; CY:cyp|cyprus|chypre; CZ:cze|czech republic|czechia; "
    "DE:deu|germany|deutschland|allemagne; DJ:dji|djibouti; DK:dnk|denmark|danmark; DM:dma|dominica; DO:dom|dominican republic; "
    "DZ:dza|algeria; EC:ecu|ecuador; EE:est|estonia|eesti; EG:egy|egypt; EH:esh|western sahara; ER:eri|eritrea; "
    "ES:esp|spain|espana|espagne; ET:eth|ethiopia; FI:fin|finland|suomi; FJ:fji|fiji; FK:flk|falkland islands; FM:fsm|micronesia; "
    "FO:fro|faroe islands; FR:fra|france; GA:gab|gabon; GB:gbr|united kingdom|great britain|england|scotland|wales|northern "
    "ireland|uk|royaume uni; GD:grd|grenada; GE:geo|georgia; GF:guf|french guiana; GG:ggy|guernsey; GH:gha|ghana; GI:gib|gibraltar; "
    "GL:grl|greenland; GM:gmb|gambia|the gambia; GN:gin|guinea; GP:glp|guadeloupe; GQ:gnq|equatorial guinea; "
    "GR:grc|greece|hellas|grece; GS:sgs|south georgia and the south sandwich islands; GT:gtm|guatemala; GU:gum|guam; GW:gnb|guinea "
    "bissau; GY:guy|guyana; HK:hkg|hong kong; HM:hmd|heard island and mcdonald islands; HN:hnd|honduras; HR:hrv|croatia|hrvatska; "
    "HT:hti|haiti; HU:hun|hungary|magyarorszag; ID:idn|indonesia; IE:irl|ireland|irlande|eire; IL:isr|israel; IM:imn|isle of man; "
    "IN:ind|india|inde; IO:iot|british indian ocean territory; IQ:irq|iraq; IR:irn|iran; IS:isl|iceland; "
    "IT:ita|italy|italia|italie; JE:jey|jersey; JM:jam|jamaica; JO:jor|jordan; JP:jpn|japan|japon; KE:ken|kenya; KG:kgz|kyrgyzstan; "
    "KH:khm|cambodia; KI:kir|kiribati; KM:com|comoros; KN:kna|saint kitts and nevis; KP:prk|north korea; KR:kor|south korea|republic of "
    "korea|korea; KW:kwt|kuwait; KY:cym|cayman islands; KZ:kaz|kazakhstan; LA:lao|laos; LB:lbn|lebanon; LC:lca|saint lucia; "
    "LI:lie|liechtenstein; LK:lka|sri lanka; LR:lbr|liberia; LS:lso|lesotho; LT:ltu|lithuania|lietuva; LU:lux|luxembourg; "
    "LV:lva|latvia|latvija; LY:lby|libya; MA:mar|morocco; MC:mco|monaco; MD:mda|moldova; ME:mne|montenegro; MF:maf|saint martin; "
    "MG:mdg|madagascar; MH:mhl|marshall islands; MK:mkd|macedonia|north macedonia; ML:mli|mali; MM:mmr|myanmar; MN:mng|mongolia; "
    "MO:mac|macao|macau; MP:mnp|northern mariana islands; MQ:mtq|martinique; MR:mrt|mauritania; MS:msr|montserrat; MT:mlt|malta; "
    "MU:mus|mauritius; MV:mdv|maldives; MW:mwi|malawi; MX:mex|mexico|mexique; MY:mys|malaysia; MZ:moz|mozambique; NA:nam|namibia; "
    "NC:ncl|new caledonia; NE:ner|niger; NF:nfk|norfolk island; NG:nga|nigeria; NI:nic|nicaragua; NL:nld|netherlands|the "
    "netherlands|pays bas|nederland|holland; NO:nor|norway|norge|norvege; NP:npl|nepal; NR:nru|nauru; NU:niu|niue; NZ:nzl|new zealand; "
    "OM:omn|oman; PA:pan|panama; PE:per|peru; PF:pyf|french polynesia; PG:png|papua new guinea; PH:phl|philippines; PK:pak|pakistan; "
    "PL:pol|poland|polska|pologne; PM:spm|saint pierre and miquelon; PN:pcn|pitcairn; PR:pri|puerto rico; PS:pse|palestine|palestinian "
    "territories; PT:prt|portugal; PW:plw|palau; PY:pry|paraguay; QA:qat|qatar; RE:reu|reunion; RO:rou|romania|roumanie; RS:srb|serbia; "
    "RU:rus|russia|russian federation; RW:rwa|rwanda; SA:sau|saudi arabia; SB:slb|solomon islands; SC:syc|seychelles; SD:sdn|sudan; "
    "SE:swe|sweden|sverige|suede; SG:sgp|singapore; SH:shn|saint helena; SI:svn|slovenia|slovenija; SJ:sjm|svalbard and jan mayen; "
    "SK:svk|slovakia|slovensko; SL:sle|sierra leone; SM:smr|san marino; SN:sen|senegal; SO:som|somalia; SR:sur|suriname; SS:ssd|south "
    "sudan; ST:stp|sao tome and principe; SV:slv|el salvador; SX:sxm|sint maarten; SY:syr|syria; SZ:swz|swaziland|eswatini; "
    "TC:tca|turks and caicos islands; TD:tcd|chad; TF:atf|french southern territories; TG:tgo|togo; TH:tha|thailand; TJ:tjk|tajikistan; "
    "TK:tkl|tokelau; TL:tls|timor leste|east timor; TM:tkm|turkmenistan; TN:tun|tunisia; TO:ton|tonga; TR:tur|turkey|turkiye; "
    "TT:tto|trinidad and tobago; TV:tuv|tuvalu; TW:twn|taiwan; TZ:tza|tanzania; UA:ukr|ukraine; UG:uga|uganda; UM:umi|united states "
    "minor outlying islands; US:usa|united states|united states of america|us|u s|u s a|etats unis; UY:ury|uruguay; UZ:uzb|uzbekistan; "
    "VA:vat|vatican city|holy see; VC:vct|saint vincent and the grenadines; VE:ven|venezuela; VG:vgb|british virgin islands; VI:vir|us "
    "virgin islands; VN:vnm|vietnam|viet nam; VU:vut|vanuatu; WF:wlf|wallis and futuna; WS:wsm|samoa; YE:yem|yemen; YT:myt|mayotte; "
    "ZA:zaf|south africa; ZM:zmb|zambia; ZW:zwe|zimbabwe"
)
EUROPEAN_UNION = Jurisdiction("EU")


def folded(name: str) -> str:
    """A name without accents, case, dots and hyphens, so that two ways to write it are one."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", name) if not unicodedata.combining(char))
    return " ".join("".join(char if char.isalnum() else " " for char in plain).split()).lower()


def country_code(text: str) -> Jurisdiction | None:
    """The country of a code (two or three letters) or a name, `EU` for the union, or None."""
    return _NAMES.get(folded(text))


def _names() -> dict[str, Jurisdiction]:
    table = {"xk": Jurisdiction("XK"), "kosovo": Jurisdiction("XK"), "eu": EUROPEAN_UNION}
    for entry in _COUNTRIES.split("; "):
        code, names = entry.split(":")
        for name in (code.lower(), *names.split("|")):
            table.setdefault(name, Jurisdiction(code))
    return table


_NAMES = _names()
