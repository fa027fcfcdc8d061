"""Names of places by their codes, as people write them in English and French; no decision reads a name."""

from __future__ import annotations

from assent.ids import UNKNOWN

# The code, the name in English, the name in French where it is another one.
_COUNTRIES = (
    "AD:Andorra|Andorre; AE:United Arab Emirates|Émirats arabes unis; AF:Afghanistan; AG:Antigua and Barbuda|Antigua-et-Barbuda; "
    "AI:Anguilla; AL:Albania|Albanie; AM:Armenia|Arménie; AO:Angola; AQ:Antarctica|Antarctique; AR:Argentina|Argentine; AS:American "
    "Samoa|Samoa américaines; AT:Austria|Autriche; AU:Australia|Australie; AW:Aruba; AX:Åland Islands|Îles d'Åland; "
    "AZ:Azerbaijan|Azerbaïdjan; BA:Bosnia and Herzegovina|Bosnie-Herzégovine; BB:Barbados|Barbade; BD:Bangladesh; BE:Belgium|Belgique; "
    "BF:Burkina Faso; BG:Bulgaria|Bulgarie; BH:Bahrain|Bahreïn; BI:Burundi; BJ:Benin|Bénin; BL:Saint Barthélemy|Saint-Barthélemy; "
    "BM:Bermuda|Bermudes; BN:Brunei|Brunéi; BO:Bolivia|Bolivie; BQ:Bonaire; BR:Brazil|Brésil; BS:Bahamas; BT:Bhutan|Bhoutan; BV:Bouvet "
    "Island|Île Bouvet; BW:Botswana; BY:Belarus|Bélarus; BZ:Belize; CA:Canada; CC:Cocos Islands|Îles Cocos; CD:Democratic Republic of "
    "the Congo|République démocratique du Congo; CF:Central African Republic|République centrafricaine; CG:Congo; "
    "CH:Switzerland|Suisse; CI:Ivory Coast|Côte d'Ivoire; CK:Cook Islands|Îles Cook; CL:Chile|Chili; CM:Cameroon|Cameroun; "
    "CN:China|Chine; CO:Colombia|Colombie; CR:Costa Rica; CU:Cuba; CV:Cape Verde|Cap-Vert; CW:Curaçao; CX:Christmas Island|Île "
    "Christmas; CY:Cyprus|Chypre; CZ:Czechia|Tchéquie; DE:Germany|Allemagne; DJ:Djibouti; DK:Denmark|Danemark; DM:Dominica|Dominique; "
    "DO:Dominican Republic|République dominicaine; DZ:Algeria|Algérie; EC:Ecuador|Équateur; EE:Estonia|Estonie; EG:Egypt|Égypte; "
    "EH:Western Sahara|Sahara occidental; ER:Eritrea|Érythrée; ES:Spain|Espagne; ET:Ethiopia|Éthiopie; FI:Finland|Finlande; "
    "FJ:Fiji|Fidji; FK:Falkland Islands|Îles Malouines; FM:Micronesia|Micronésie; FO:Faroe Islands|Îles Féroé; FR:France; GA:Gabon; "
    "GB:United Kingdom|Royaume-Uni; GD:Grenada|Grenade; GE:Georgia|Géorgie; GF:French Guiana|Guyane française; GG:Guernsey|Guernesey; "
    "GH:Ghana; GI:Gibraltar; GL:Greenland|Groenland; GM:Gambia|Gambie; GN:Guinea|Guinée; GP:Guadeloupe; GQ:Equatorial Guinea|Guinée "
    "équatoriale; GR:Greece|Grèce; GS:South Georgia and the South Sandwich Islands|Géorgie du Sud et îles Sandwich du Sud; "
    "GT:Guatemala; GU:Guam; GW:Guinea-Bissau|Guinée-Bissau; GY:Guyana; HK:Hong Kong; HM:Heard Island and McDonald Islands|Îles Heard "
    "et McDonald; HN:Honduras; HR:Croatia|Croatie; HT:Haiti|Haïti; HU:Hungary|Hongrie; ID:Indonesia|Indonésie; IE:Ireland|Irlande; "
    "IL:Israel|Israël; IM:Isle of Man|Île de Man; IN:India|Inde; IO:British Indian Ocean Territory|Territoire britannique de l'océan "
    "Indien; IQ:Iraq|Irak; IR:Iran; IS:Iceland|Islande; IT:Italy|Italie; JE:Jersey; JM:Jamaica|Jamaïque; JO:Jordan|Jordanie; "
    "JP:Japan|Japon; KE:Kenya; KG:Kyrgyzstan|Kirghizistan; KH:Cambodia|Cambodge; KI:Kiribati; KM:Comoros|Comores; KN:Saint Kitts and "
    "Nevis|Saint-Kitts-et-Nevis; KP:North Korea|Corée du Nord; KR:South Korea|Corée du Sud; KW:Kuwait|Koweït; KY:Cayman Islands|Îles "
    "Caïmans; KZ:Kazakhstan; LA:Laos; LB:Lebanon|Liban; LC:Saint Lucia|Sainte-Lucie; LI:Liechtenstein; LK:Sri Lanka; "
    "LR:Liberia|Libéria; LS:Lesotho; LT:Lithuania|Lituanie; LU:Luxembourg; LV:Latvia|Lettonie; LY:Libya|Libye; MA:Morocco|Maroc; "
    "MC:Monaco; MD:Moldova|Moldavie; ME:Montenegro|Monténégro; MF:Saint Martin|Saint-Martin; MG:Madagascar; MH:Marshall Islands|Îles "
    "Marshall; MK:North Macedonia|Macédoine du Nord; ML:Mali; MM:Myanmar; MN:Mongolia|Mongolie; MO:Macau|Macao; MP:Northern Mariana "
    "Islands|Îles Mariannes du Nord; MQ:Martinique; MR:Mauritania|Mauritanie; MS:Montserrat; MT:Malta|Malte; MU:Mauritius|Maurice; "
    "MV:Maldives; MW:Malawi; MX:Mexico|Mexique; MY:Malaysia|Malaisie; MZ:Mozambique; NA:Namibia|Namibie; NC:New "
    "Caledonia|Nouvelle-Calédonie; NE:Niger; NF:Norfolk Island|Île Norfolk; NG:Nigeria|Nigéria; NI:Nicaragua; NL:Netherlands|Pays-Bas; "
    "NO:Norway|Norvège; NP:Nepal|Népal; NR:Nauru; NU:Niue; NZ:New Zealand|Nouvelle-Zélande; OM:Oman; PA:Panama; PE:Peru|Pérou; "
    "PF:French Polynesia|Polynésie française; PG:Papua New Guinea|Papouasie-Nouvelle-Guinée; PH:Philippines; PK:Pakistan; "
    "PL:Poland|Pologne; PM:Saint Pierre and Miquelon|Saint-Pierre-et-Miquelon; PN:Pitcairn; PR:Puerto Rico|Porto Rico; PS:Palestine; "
    "PT:Portugal; PW:Palau|Palaos; PY:Paraguay; QA:Qatar; RE:Réunion|La Réunion; RO:Romania|Roumanie; RS:Serbia|Serbie; "
    "RU:Russia|Russie; RW:Rwanda; SA:Saudi Arabia|Arabie saoudite; SB:Solomon Islands|Îles Salomon; SC:Seychelles; SD:Sudan|Soudan; "
    "SE:Sweden|Suède; SG:Singapore|Singapour; SH:Saint Helena|Sainte-Hélène; SI:Slovenia|Slovénie; SJ:Svalbard and Jan Mayen|Svalbard "
    "et Jan Mayen; SK:Slovakia|Slovaquie; SL:Sierra Leone; SM:San Marino|Saint-Marin; SN:Senegal|Sénégal; SO:Somalia|Somalie; "
    "SR:Suriname; SS:South Sudan|Soudan du Sud; ST:São Tomé and Príncipe|Sao Tomé-et-Principe; SV:El Salvador|Salvador; SX:Sint "
    "Maarten; SY:Syria|Syrie; SZ:Eswatini; TC:Turks and Caicos Islands|Îles Turques-et-Caïques; TD:Chad|Tchad; TF:French Southern "
    "Territories|Terres australes françaises; TG:Togo; TH:Thailand|Thaïlande; TJ:Tajikistan|Tadjikistan; TK:Tokelau; TL:Timor-Leste; "
    "TM:Turkmenistan|Turkménistan; TN:Tunisia|Tunisie; TO:Tonga; TR:Turkey|Turquie; TT:Trinidad and Tobago|Trinité-et-Tobago; "
    "TV:Tuvalu; TW:Taiwan|Taïwan; TZ:Tanzania|Tanzanie; UA:Ukraine; UG:Uganda|Ouganda; UM:United States Minor Outlying Islands|Îles "
    "mineures éloignées des États-Unis; US:United States|États-Unis; UY:Uruguay; UZ:Uzbekistan|Ouzbékistan; VA:Vatican City|Cité du "
    "Vatican; VC:Saint Vincent and the Grenadines|Saint-Vincent-et-les-Grenadines; VE:Venezuela; VG:British Virgin Islands|Îles "
    "Vierges britanniques; VI:US Virgin Islands|Îles Vierges américaines; VN:Vietnam|Viêt Nam; VU:Vanuatu; WF:Wallis and "
    "Futuna|Wallis-et-Futuna; WS:Samoa; XK:Kosovo; YE:Yemen|Yémen; YT:Mayotte; ZA:South Africa|Afrique du Sud; ZM:Zambia|Zambie; "
    "ZW:Zimbabwe; EU:European Union|Union européenne"
)
_PARTS = (
    "CA-AB:Alberta; CA-BC:British Columbia|Colombie-Britannique; CA-MB:Manitoba; CA-NB:New Brunswick|Nouveau-Brunswick; "
    "CA-NL:Newfoundland and Labrador|Terre-Neuve-et-Labrador; CA-NS:Nova Scotia|Nouvelle-Écosse; CA-NT:Northwest "
    "Territories|Territoires du Nord-Ouest; CA-NU:Nunavut; CA-ON:Ontario; CA-PE:Prince Edward Island|Île-du-Prince-Édouard; "
    "CA-QC:Quebec|Québec; CA-SK:Saskatchewan; CA-YT:Yukon; US-AL:Alabama; US-AK:Alaska; US-AZ:Arizona; US-AR:Arkansas; "
    "US-CA:California|Californie; US-CO:Colorado; US-CT:Connecticut; US-DE:Delaware; US-DC:District of Columbia|District de Columbia; "
    "US-FL:Florida|Floride; US-GA:Georgia (United States)|Géorgie (États-Unis); US-HI:Hawaii|Hawaï; US-ID:Idaho; US-IL:Illinois; "
    "US-IN:Indiana; US-IA:Iowa; US-KS:Kansas; US-KY:Kentucky; US-LA:Louisiana|Louisiane; US-ME:Maine; US-MD:Maryland; "
    "US-MA:Massachusetts; US-MI:Michigan; US-MN:Minnesota; US-MS:Mississippi; US-MO:Missouri; US-MT:Montana; US-NE:Nebraska; "
    "US-NV:Nevada; US-NH:New Hampshire; US-NJ:New Jersey; US-NM:New Mexico|Nouveau-Mexique; US-NY:New York (state)|État de New York; "
    "US-NC:North Carolina|Caroline du Nord; US-ND:North Dakota|Dakota du Nord; US-OH:Ohio; US-OK:Oklahoma; US-OR:Oregon; "
    "US-PA:Pennsylvania|Pennsylvanie; US-RI:Rhode Island; US-SC:South Carolina|Caroline du Sud; US-SD:South Dakota|Dakota du Sud; "
    "US-TN:Tennessee; US-TX:Texas; US-UT:Utah; US-VT:Vermont; US-VA:Virginia|Virginie; US-WA:Washington (state)|État de Washington; "
    "US-WV:West Virginia|Virginie-Occidentale; US-WI:Wisconsin; US-WY:Wyoming; AU-ACT:Australian Capital Territory|Territoire de la "
    "capitale australienne; AU-NSW:New South Wales|Nouvelle-Galles du Sud; AU-NT:Northern Territory (Australia)|Territoire du Nord "
    "(Australie); AU-QLD:Queensland; AU-SA:South Australia|Australie-Méridionale; AU-TAS:Tasmania|Tasmanie; AU-VIC:Victoria "
    "(Australia)|Victoria (Australie); AU-WA:Western Australia|Australie-Occidentale"
)


def _table() -> dict[str, dict[str, str]]:
    table: dict[str, dict[str, str]] = {"en": {UNKNOWN: "an unknown place"}, "fr": {UNKNOWN: "un lieu inconnu"}}
    for entry in f"{_COUNTRIES}; {_PARTS}".split("; "):
        code, names = entry.split(":")
        english, _, french = names.partition("|")
        table["en"][code], table["fr"][code] = english, french or english
    return table


_NAMES = _table()


def place_text(code: str, lang: str = "en") -> str:
    """The name of a place; a part of a country whose parts have no names here is told by its code and the country."""
    names = _NAMES.get(lang, _NAMES["en"])
    if code in names:
        return names[code]
    country = names.get(code.partition("-")[0])
    return code if country is None else f"{code} ({country})"


def places_text(codes: tuple[str, ...] | list[str], lang: str = "en") -> str:
    """Several places in one line."""
    return ", ".join(place_text(code, lang) for code in codes)
