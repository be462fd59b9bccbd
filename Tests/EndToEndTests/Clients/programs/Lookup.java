// As lookup.c does it, by java.net.InetAddress; its own cache is off.

import java.net.Inet4Address;
import java.net.InetAddress;
import java.security.Security;

public class Lookup {
    public static void main(String[] arguments) throws Exception {
        Security.setProperty("networkaddress.cache.ttl", "0");
        for (int count = Integer.parseInt(arguments[1]); count > 0; count--) {
            String four = "-", six = "-";
            for (InetAddress address : InetAddress.getAllByName(arguments[2])) {
                if (address instanceof Inet4Address) {
                    if (four.equals("-")) four = address.getHostAddress();
                } else if (six.equals("-")) six = address.getHostAddress();
            }
            System.out.println(four + " " + six);
        }
    }
}
